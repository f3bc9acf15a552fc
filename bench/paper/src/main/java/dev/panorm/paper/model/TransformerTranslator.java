package dev.panorm.paper.model;

import dev.panorm.DType;
import dev.panorm.Tensor;
import dev.panorm.paper.data.Batch;
import dev.panorm.paper.nn.Attention;
import dev.panorm.paper.nn.CrossEntropy;
import dev.panorm.paper.nn.Init;
import dev.panorm.paper.nn.Linear;
import dev.panorm.paper.nn.Norm;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Value;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The Transformer (Vaswani et al., 2017): the norm comes after each residual sum, positions are
 * sines, and the target's embedding is the output matrix too.
 */
public final class TransformerTranslator implements TranslationModel {
  private final int width;
  private final int heads;
  private final double dropout;
  private final Tensor positions;
  private final Value sourceTable;
  private final Value targetTable;
  private final List<EncoderBlock> encoder;
  private final List<DecoderBlock> decoder;

  private record EncoderBlock(AttentionBlock self, FeedForward feedForward) {}

  private record DecoderBlock(AttentionBlock self, AttentionBlock source,
      FeedForward feedForward) {}

  /**
   * The sizes of a model.
   *
   * @param tokens of the vocabulary
   * @param width of the residual stream; inside feed-forward blocks four times as much
   * @param heads of each attention
   * @param blocks of the encoder, and as many of the decoder
   * @param longest source or target, in steps
   * @param dropout of embeddings and of each block's output, in training
   */
  public record Shape(int tokens, int width, int heads, int blocks, int longest, double dropout) {}

  /** A model of a given shape. */
  public TransformerTranslator(Parameters parameters, Shape shape, NormSpec norm) {
    this.width = shape.width;
    this.heads = shape.heads;
    this.dropout = shape.dropout;
    this.positions = positions(Translations.longest(shape.longest), width);
    Init embedding = Init.normal(0, 1 / Math.sqrt(width));
    sourceTable = parameters.create("source", shape.tokens, width, embedding);
    targetTable = parameters.create("target", shape.tokens, width, embedding);
    encoder = IntStream.range(0, shape.blocks)
        .mapToObj(
            i -> new EncoderBlock(new AttentionBlock(parameters, "encoder." + i + ".self", norm),
                new FeedForward(parameters, "encoder." + i + ".feed", norm)))
        .toList();
    decoder = IntStream.range(0, shape.blocks)
        .mapToObj(
            i -> new DecoderBlock(new AttentionBlock(parameters, "decoder." + i + ".self", norm),
                new AttentionBlock(parameters, "decoder." + i + ".source", norm),
                new FeedForward(parameters, "decoder." + i + ".feed", norm)))
        .toList();
  }

  private static Tensor positions(int steps, int width) {
    Tensor table = Tensor.allocate(Arena.ofAuto(), DType.F32, steps, width);
    for (int t = 0; t < steps; t++) {
      for (int i = 0; i < width; i++) {
        double angle = t / Math.pow(10000, i / 2 * 2 / (double) width);
        table.set(t, i, i % 2 == 0 ? Math.sin(angle) : Math.cos(angle));
      }
    }
    return table;
  }

  private final class AttentionBlock {
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear output;
    private final Norm norm;

    AttentionBlock(Parameters parameters, String name, NormSpec spec) {
      query = projection(parameters, name + ".query", width, width);
      key = projection(parameters, name + ".key", width, width);
      value = projection(parameters, name + ".value", width, width);
      output = projection(parameters, name + ".output", width, width);
      norm = spec.create(parameters, name + ".norm", width, true);
    }

    Value apply(Tape tape, Value x, Value from, int batch, boolean causal) {
      Value read = new Attention(batch, heads, heads, causal).apply(tape, query.apply(tape, x),
          key.apply(tape, from), value.apply(tape, from));
      return norm.apply(tape, tape.add(x, tape.dropout(output.apply(tape, read), dropout)));
    }
  }

  private final class FeedForward {
    private final Linear up;
    private final Linear down;
    private final Norm norm;

    FeedForward(Parameters parameters, String name, NormSpec spec) {
      up = projection(parameters, name + ".up", width, 4 * width);
      down = projection(parameters, name + ".down", 4 * width, width);
      norm = spec.create(parameters, name + ".norm", width, true);
    }

    Value apply(Tape tape, Value x) {
      Value y = down.apply(tape, tape.relu(up.apply(tape, x)));
      return norm.apply(tape, tape.add(x, tape.dropout(y, dropout)));
    }
  }

  private static Linear projection(Parameters parameters, String name, int in, int out) {
    return new Linear(parameters, name, in, out, Init.xavier(), NormSpec.NONE);
  }

  @Override
  public CrossEntropy loss(Tape tape, Batch batch) {
    Value states = decode(tape, batch.size(), encode(tape, batch), batch.input());
    return CrossEntropy.of(tape, tape.linear(states, targetTable), batch.output(),
        tape.training() ? SMOOTHING : 0);
  }

  private Value embed(Tape tape, Value table, int[] tokens, int batch) {
    Value words = tape.scale(tape.embed(table, tokens), (float) Math.sqrt(width));
    return tape.dropout(tape.addPositions(words, positions, batch), dropout);
  }

  private Value encode(Tape tape, Batch batch) {
    Value x = embed(tape, sourceTable, batch.source(), batch.size());
    for (EncoderBlock block : encoder) {
      x = block.feedForward.apply(tape, block.self.apply(tape, x, x, batch.size(), false));
    }
    return x;
  }

  private Value decode(Tape tape, int batch, Value encoded, int[] tokens) {
    Value x = embed(tape, targetTable, tokens, batch);
    for (DecoderBlock block : decoder) {
      x = block.self.apply(tape, x, x, batch, true);
      x = block.source.apply(tape, x, encoded, batch, false);
      x = block.feedForward.apply(tape, x);
    }
    return x;
  }

  /** Runs the decoder again on all that it has said, for each token. */
  @Override
  public int[][] translate(Tape tape, Batch batch) {
    Value encoded = encode(tape, batch);
    int size = batch.size();
    Translations translations = new Translations(batch);
    while (!translations.finished()) {
      int[] input = translations.input();
      translations.add(tape.temporarily(() -> {
        Value states = decode(tape, size, encoded, input);
        return Tape.argmax(tape.linear(states.rows(input.length - size, size), targetTable));
      }));
    }
    return translations.tokens();
  }
}
