package dev.panorm.examples;

import dev.panorm.DType;
import dev.panorm.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights of a llama2.c checkpoint as tensors over the file's own bytes; nothing is copied.
 *
 * @param name what messages call the file
 * @param shape the sizes in its header
 * @param embedding one row per token
 * @param layers the transformer blocks, in order
 * @param finalGain gain of the norm before the classifier
 * @param classifier one row per token, the embedding again where the two are shared
 */
record Checkpoint(String name, ModelShape shape, Tensor embedding, List<Layer> layers,
    Tensor finalGain, Tensor classifier) {

  /**
   * The weights of one block. Gains are one row; a matrix holds one row per output.
   *
   * @param attentionGain gain of the norm before attention
   * @param query makes queries
   * @param key makes keys
   * @param value makes values
   * @param output maps the joined heads back to the residual stream
   * @param feedForwardGain gain of the norm before the feed-forward block
   * @param gate the SwiGLU branch that goes through the sigmoid
   * @param up the other SwiGLU branch
   * @param down maps the hidden layer back to the residual stream
   */
  record Layer(Tensor attentionGain, Tensor query, Tensor key, Tensor value, Tensor output,
      Tensor feedForwardGain, Tensor gate, Tensor up, Tensor down) {}

  /** Lays tensors over a file, after checking that its header fits its size. */
  static Checkpoint read(DataFile file) {
    ModelShape shape = ModelShape.read(file);
    int dim = shape.dim();
    int hidden = shape.hiddenDim();
    int count = shape.layers();
    Cursor cursor = new Cursor(file.bytes());
    Tensor embedding = cursor.next(shape.vocabSize(), dim);
    Tensor attentionGains = cursor.next(count, dim);
    Tensor queries = cursor.next((long) count * dim, dim);
    Tensor keys = cursor.next((long) count * shape.kvDim(), dim);
    Tensor values = cursor.next((long) count * shape.kvDim(), dim);
    Tensor outputs = cursor.next((long) count * dim, dim);
    Tensor feedForwardGains = cursor.next(count, dim);
    Tensor gates = cursor.next((long) count * hidden, dim);
    Tensor downs = cursor.next((long) count * dim, hidden);
    Tensor ups = cursor.next((long) count * hidden, dim);
    Tensor finalGain = cursor.next(1, dim);
    cursor.next(shape.context(), shape.headSize()); // a table of rotations, computed anew instead
    Tensor classifier = shape.sharedClassifier() ? embedding : cursor.next(shape.vocabSize(), dim);
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      layers
          .add(new Layer(attentionGains.row(i), part(queries, i, dim), part(keys, i, shape.kvDim()),
              part(values, i, shape.kvDim()), part(outputs, i, dim), feedForwardGains.row(i),
              part(gates, i, hidden), part(ups, i, hidden), part(downs, i, dim)));
    }
    return new Checkpoint(file.name(), shape, embedding, List.copyOf(layers), finalGain,
        classifier);
  }

  private static Tensor part(Tensor stack, int index, int rows) {
    return stack.rows((long) index * rows, rows);
  }

  /** Walks the blocks of the file in order. */
  private static final class Cursor {
    private final MemorySegment bytes;
    private long offset = ModelShape.HEADER_BYTES;

    Cursor(MemorySegment bytes) {
      this.bytes = bytes;
    }

    Tensor next(long rows, long cols) {
      long size = rows * cols * Float.BYTES;
      Tensor block = Tensor.ofSegment(bytes.asSlice(offset, size), DType.F32, rows, cols);
      offset += size;
      return block;
    }
  }
}
