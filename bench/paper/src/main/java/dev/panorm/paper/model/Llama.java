package dev.panorm.paper.model;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.data.TextBatch;
import dev.panorm.paper.nn.Attention;
import dev.panorm.paper.nn.CrossEntropy;
import dev.panorm.paper.nn.Init;
import dev.panorm.paper.nn.Linear;
import dev.panorm.paper.nn.Norm;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Rotary;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Value;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A language model of the Llama architecture: the norm comes before each block and has no bias,
 * positions are rotations, feed-forward blocks are gated by SiLU, and the embedding is the output
 * matrix too.
 */
public final class Llama implements Model<TextBatch> {
  private final Parameters parameters;
  private final Shape shape;
  private final Rotary rotary;
  private final Value table;
  private final List<Block> blocks;
  private final Norm finalNorm;

  /** The sizes of a model, as llama2.c's header has them. */
  public record Shape(int dim, int hidden, int layers, int heads, int kvHeads, int tokens,
      int context) {
    /** Checks that heads divide what they must. */
    public Shape {
      if (dim % heads != 0 || dim / heads % 2 != 0 || heads % kvHeads != 0) {
        throw new BadInput("%d columns do not make %d heads of an even size with %d of keys", dim,
            heads, kvHeads);
      }
    }

    int kvDim() {
      return dim / heads * kvHeads;
    }
  }

  /** A model of a given shape. */
  public Llama(Parameters parameters, Shape shape, NormSpec norm) {
    this.parameters = parameters;
    this.shape = shape;
    this.rotary = new Rotary(shape.dim / shape.heads, shape.context);
    this.table = parameters.create("table", shape.tokens, shape.dim, Init.normal(0, 0.02));
    this.blocks = IntStream.range(0, shape.layers)
        .mapToObj(i -> new Block("block." + i + ".", norm))
        .toList();
    this.finalNorm = norm.create(parameters, "final", shape.dim, false);
  }

  private final class Block {
    private final Norm attentionNorm;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear output;
    private final Norm feedForwardNorm;
    private final Linear gate;
    private final Linear up;
    private final Linear down;

    Block(String name, NormSpec norm) {
      attentionNorm = norm.create(parameters, name + "attention", shape.dim, false);
      query = projection(name + "query", shape.dim, shape.dim, 0.02);
      key = projection(name + "key", shape.dim, shape.kvDim(), 0.02);
      value = projection(name + "value", shape.dim, shape.kvDim(), 0.02);
      // What is added to the residual stream starts smaller, as in llama2.c.
      double small = 0.02 / Math.sqrt(2.0 * shape.layers);
      output = projection(name + "output", shape.dim, shape.dim, small);
      feedForwardNorm = norm.create(parameters, name + "feed", shape.dim, false);
      gate = projection(name + "gate", shape.dim, shape.hidden, 0.02);
      up = projection(name + "up", shape.dim, shape.hidden, small);
      down = projection(name + "down", shape.hidden, shape.dim, 0.02);
    }

    Value apply(Tape tape, Value x, int batch) {
      Value normed = attentionNorm.apply(tape, x);
      Value read = new Attention(batch, shape.heads, shape.kvHeads, true).apply(tape,
          rotary.apply(tape, query.apply(tape, normed), batch),
          rotary.apply(tape, key.apply(tape, normed), batch), value.apply(tape, normed));
      Value attended = tape.add(x, output.apply(tape, read));
      Value fed = feedForwardNorm.apply(tape, attended);
      Value inner = tape.multiply(tape.silu(gate.apply(tape, fed)), up.apply(tape, fed));
      return tape.add(attended, down.apply(tape, inner));
    }
  }

  private Linear projection(String name, int in, int out, double deviation) {
    return new Linear(parameters, name, in, out, Init.normal(0, deviation), NormSpec.NONE, false);
  }

  @Override
  public CrossEntropy loss(Tape tape, TextBatch batch) {
    Value x = tape.embed(table, batch.input());
    for (Block block : blocks) {
      x = block.apply(tape, x, batch.size());
    }
    return CrossEntropy.of(tape, tape.linear(finalNorm.apply(tape, x), table), batch.output(), 0);
  }

  /**
   * Writes llama2.c's checkpoint format, which states no norm: readers take it to be the full
   * RMSNorm, and only a model trained with that is of use to them.
   */
  public void write(Path file) {
    int rotations = shape.context * shape.dim / shape.heads;
    ByteBuffer out = ByteBuffer
        .allocate((int) (7 * Integer.BYTES + (parameters.count() + rotations) * Float.BYTES))
        .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(shape.dim)
        .putInt(shape.hidden)
        .putInt(shape.layers)
        .putInt(shape.heads)
        .putInt(shape.kvHeads)
        .putInt(shape.tokens)
        .putInt(shape.context);
    put(out, "table");
    for (String part : List.of("attention.gain", "query", "key", "value", "output", "feed.gain",
        "gate", "down", "up")) {
      for (int i = 0; i < shape.layers; i++) {
        put(out, "block." + i + "." + part);
      }
    }
    put(out, "final.gain");
    out.position(out.capacity()); // rotations, which readers compute anew
    try {
      Files.write(file, out.array());
    } catch (IOException e) {
      throw new BadInput("%s: cannot be written: %s", file, e);
    }
  }

  private void put(ByteBuffer out, String name) {
    MemorySegment data = parameters.get(name).tensor().segment();
    for (long i = 0; i < data.byteSize(); i += Float.BYTES) {
      out.putFloat(data.get(ValueLayout.JAVA_FLOAT, i));
    }
  }
}
