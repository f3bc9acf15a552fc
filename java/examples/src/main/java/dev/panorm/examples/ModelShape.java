package dev.panorm.examples;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The sizes that the header of a llama2.c checkpoint states: seven 32-bit integers.
 *
 * @param dim width of the residual stream
 * @param hiddenDim width inside the feed-forward block
 * @param layers number of transformer blocks
 * @param heads number of query heads
 * @param kvHeads number of key and value heads; each serves {@code heads / kvHeads} query heads
 * @param vocabSize number of tokens
 * @param context most positions that the model can attend to
 * @param sharedClassifier whether the token embedding is also the output matrix; a file says no by
 *     a negative vocabulary size
 */
record ModelShape(int dim, int hiddenDim, int layers, int heads, int kvHeads, int vocabSize,
    int context, boolean sharedClassifier) {

  static final int HEADER_BYTES = 7 * Integer.BYTES;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED
      .withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * Reads the header and checks it against the size of the file. Every field is held to a range
   * first, narrow enough that no product of them overflows a {@code long}.
   */
  static ModelShape read(DataFile file) {
    if (file.size() < HEADER_BYTES) {
      throw new StoryException("%s: %d bytes, but the header alone takes %d", file.name(),
          file.size(), HEADER_BYTES);
    }
    int dim = field(file, 0, "dim", 1, 1 << 16);
    int hiddenDim = field(file, 1, "hidden_dim", 1, 1 << 20);
    int layers = field(file, 2, "n_layers", 1, 1 << 10);
    int heads = field(file, 3, "n_heads", 1, dim);
    int kvHeads = field(file, 4, "n_kv_heads", 1, heads);
    int vocabSize = field(file, 5, "vocab_size", -(1 << 24), 1 << 24);
    int context = field(file, 6, "seq_len", 1, 1 << 24);
    if (vocabSize == 0) {
      throw new StoryException("%s: vocab_size is 0", file.name());
    }
    if (dim % heads != 0 || dim / heads % 2 != 0) {
      throw new StoryException(
          "%s: n_heads is %d, which does not cut dim %d into heads of an even size", file.name(),
          heads, dim);
    }
    if (heads % kvHeads != 0) {
      throw new StoryException("%s: n_kv_heads is %d, which does not divide n_heads %d",
          file.name(), kvHeads, heads);
    }
    boolean shared = vocabSize > 0;
    ModelShape shape = new ModelShape(dim, hiddenDim, layers, heads, kvHeads, Math.abs(vocabSize),
        context, shared);
    if (shape.fileBytes() != file.size()) {
      throw new StoryException("%s: %d bytes, but its header asks for %d", file.name(), file.size(),
          shape.fileBytes());
    }
    return shape;
  }

  private static int field(DataFile file, int index, String name, int least, int most) {
    int value = file.bytes().get(INT, (long) index * Integer.BYTES);
    if (value < least || value > most) {
      throw new StoryException("%s: %s is %d, outside %d to %d", file.name(), name, value, least,
          most);
    }
    return value;
  }

  /** The width of one head. */
  int headSize() {
    return dim / heads;
  }

  /** The width of a key or value row: all key heads side by side. */
  int kvDim() {
    return kvHeads * headSize();
  }

  /** The size that a checkpoint of this shape has. */
  long fileBytes() {
    long attention = dim + 2L * dim * dim + 2L * kvDim() * dim;
    long feedForward = dim + 3L * hiddenDim * dim;
    long rotation = (long) context * headSize();
    long embeddings = (sharedClassifier ? 1L : 2L) * vocabSize * dim;
    long floats = embeddings + layers * (attention + feedForward) + dim + rotation;
    return HEADER_BYTES + floats * Float.BYTES;
  }
}
