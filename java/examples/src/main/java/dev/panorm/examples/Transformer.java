package dev.panorm.examples;

import dev.panorm.Backend;
import dev.panorm.DType;
import dev.panorm.RmsNorm;
import dev.panorm.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A Llama transformer, one token at a time, in off-heap memory.
 *
 * <p>The norms are Panorm's; the rest is plain Java in a fixed order, with {@link StrictMath} for
 * exponentials, so the logits have the same bits on every backend. A block's output is added to the
 * residual stream by the norm that comes next, in one pass. Not thread-safe.
 */
final class Transformer {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;
  private static final double EPSILON = 1e-5;

  private final Checkpoint model;
  private final Attention attention;
  private final RmsNorm[] attentionNorms;
  private final RmsNorm[] feedForwardNorms;
  private final RmsNorm finalNorm;
  private final Tensor residual;
  private final Tensor normed;
  private final Tensor branch;
  private final Tensor gate;
  private final Tensor up;
  private final Tensor logits;
  private long normNanos;

  /** Prepares to run a model; working memory comes from the arena. */
  Transformer(Checkpoint model, Backend backend, Arena arena) {
    ModelShape shape = model.shape();
    List<Checkpoint.Layer> layers = model.layers();
    this.model = model;
    this.attention = new Attention(shape, arena);
    this.attentionNorms = new RmsNorm[layers.size()];
    this.feedForwardNorms = new RmsNorm[layers.size()];
    for (int i = 0; i < layers.size(); i++) {
      attentionNorms[i] = norm(layers.get(i).attentionGain(), backend);
      feedForwardNorms[i] = norm(layers.get(i).feedForwardGain(), backend);
    }
    this.finalNorm = norm(model.finalGain(), backend);
    this.residual = Tensor.allocate(arena, DType.F32, 1, shape.dim());
    this.normed = Tensor.allocate(arena, DType.F32, 1, shape.dim());
    this.branch = Tensor.allocate(arena, DType.F32, 1, shape.dim());
    this.gate = Tensor.allocate(arena, DType.F32, 1, shape.hiddenDim());
    this.up = Tensor.allocate(arena, DType.F32, 1, shape.hiddenDim());
    this.logits = Tensor.allocate(arena, DType.F32, 1, shape.vocabSize());
  }

  private static RmsNorm norm(Tensor gain, Backend backend) {
    return RmsNorm.builder(gain).epsilon(EPSILON).backend(backend).build();
  }

  /**
   * Takes in the token at a position; positions come in order, from 0.
   *
   * @return a score for each token to come next, valid until the next call
   */
  MemorySegment forward(int token, int position) {
    List<Checkpoint.Layer> layers = model.layers();
    long rowBytes = (long) model.shape().dim() * Float.BYTES;
    MemorySegment.copy(model.embedding().segment(), token * rowBytes, residual.segment(), 0,
        rowBytes);
    for (int i = 0; i < layers.size(); i++) {
      Checkpoint.Layer layer = layers.get(i);
      if (i == 0) {
        long start = System.nanoTime();
        attentionNorms[0].forward(residual, normed);
        normNanos += System.nanoTime() - start;
      } else {
        addAndNormalize(attentionNorms[i]);
      }
      attention.forward(layer, i, position, normed, branch);
      addAndNormalize(feedForwardNorms[i]);
      feedForward(layer);
    }
    addAndNormalize(finalNorm);
    MatVec.multiply(model.classifier(), normed, logits);
    return logits.segment();
  }

  /** Adds what the last block made to the residual stream, and normalizes that for the next. */
  private void addAndNormalize(RmsNorm norm) {
    long start = System.nanoTime();
    norm.addForward(branch, residual, normed);
    normNanos += System.nanoTime() - start;
  }

  /** SwiGLU. */
  private void feedForward(Checkpoint.Layer layer) {
    MatVec.multiply(layer.gate(), normed, gate);
    MatVec.multiply(layer.up(), normed, up);
    MemorySegment gates = gate.segment();
    for (int i = 0; i < model.shape().hiddenDim(); i++) {
      float g = gates.getAtIndex(F32, i);
      float silu = (float) (g / (1 + StrictMath.exp(-g)));
      gates.setAtIndex(F32, i, silu * up.segment().getAtIndex(F32, i));
    }
    MatVec.multiply(layer.down(), gate, branch);
  }

  /** The time spent in norms so far, the reading of the clock included. */
  long normNanos() {
    return normNanos;
  }
}
