package dev.panorm.examples;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Writes checkpoints and tokenizers small enough to know what they must do. */
final class TinyModel {
  private TinyModel() {}

  /** A checkpoint of random weights; a negative {@code vocabSize} gives it its own classifier. */
  static byte[] random(int dim, int hidden, int layers, int heads, int kvHeads, int vocabSize,
      int context) {
    Random random = new Random(42);
    ByteBuffer buffer = empty(dim, hidden, layers, heads, kvHeads, vocabSize, context);
    while (buffer.hasRemaining()) {
      buffer.putFloat((float) random.nextGaussian() / 2);
    }
    return buffer.array();
  }

  /**
   * A checkpoint that writes the tokens of a list one after the other, and then again those from an
   * index on; temperature 0 assumed.
   */
  static byte[] cycle(int context, int again, int... tokens) {
    int dim = tokens.length % 2 == 0 ? tokens.length : tokens.length + 1;
    ByteBuffer buffer = empty(dim, 1, 1, 1, 1, -259, context);
    int start = buffer.position();
    int finalGain = buffer.capacity() / 4 - start / 4 - 259 * dim - context * dim - dim;
    for (int i = 0; i < dim; i++) {
      buffer.putFloat(start + 4 * (finalGain + i), 1);
    }
    int classifier = buffer.capacity() - 4 * 259 * dim;
    for (int i = 0; i < tokens.length; i++) {
      int next = tokens[i + 1 < tokens.length ? i + 1 : again];
      buffer.putFloat(start + 4 * (tokens[i] * dim + i), 1);
      buffer.putFloat(classifier + 4 * (next * dim + i), 1); // the state of token i votes for it
    }
    return buffer.array();
  }

  private static ByteBuffer empty(int dim, int hidden, int layers, int heads, int kvHeads,
      int vocabSize, int context) {
    int kvDim = dim / heads * kvHeads;
    int vocab = Math.abs(vocabSize);
    int perLayer = dim + dim * dim + 2 * kvDim * dim + dim * dim + dim + 3 * dim * hidden;
    int floats = vocab * dim + layers * perLayer + dim + context * (dim / heads);
    floats += vocabSize < 0 ? vocab * dim : 0;
    ByteBuffer buffer = ByteBuffer.allocate(28 + 4 * floats).order(ByteOrder.LITTLE_ENDIAN);
    for (int field : new int[] {dim, hidden, layers, heads, kvHeads, vocabSize, context}) {
      buffer.putInt(field);
    }
    return buffer;
  }

  /** A tokenizer of the special tokens, the bytes and these pieces, the first scored highest. */
  static byte[] tokenizer(String... pieces) {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(16);
    put(buffer, 0, "<unk>");
    put(buffer, 0, "\n<s>\n");
    put(buffer, 0, "\n</s>\n");
    for (int i = 0; i < 256; i++) {
      put(buffer, 0, "<0x%02X>".formatted(i));
    }
    for (int i = 0; i < pieces.length; i++) {
      put(buffer, -i, pieces[i]);
    }
    byte[] bytes = new byte[buffer.position()];
    buffer.get(0, bytes);
    return bytes;
  }

  private static void put(ByteBuffer buffer, float score, String piece) {
    byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
    buffer.putFloat(score).putInt(bytes.length).put(bytes);
  }

  static Path write(Path folder, String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  /** The id of a byte's token. */
  static int id(int value) {
    return 3 + value;
  }
}
