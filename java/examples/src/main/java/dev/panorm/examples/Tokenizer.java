package dev.panorm.examples;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Cuts text into tokens and gives their bytes back.
 *
 * <p>The vocabulary is that of a llama2.c tokenizer file: id 0 is unknown, 1 begins a text, 2 ends
 * it, 3 to 258 are the single bytes, and the rest are pieces, each with a score. Text starts as
 * characters (or their bytes, where the vocabulary lacks the character); then, again and again, the
 * pair of neighbours that forms the piece of the highest score is joined, the leftmost among
 * equals.
 */
final class Tokenizer {
  /** Begins a text, and so separates two. */
  static final int BOS = 1;

  /** Ends a text. */
  static final int EOS = 2;

  private static final int FIRST_BYTE = 3;
  private static final int FIRST_PIECE = FIRST_BYTE + 256;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED
      .withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED
      .withOrder(ByteOrder.LITTLE_ENDIAN);

  private final byte[][] bytes;
  private final float[] scores;

  /** The pieces by their bytes, one char per byte. */
  private final Map<String, Integer> ids = new HashMap<>();

  private Tokenizer(byte[][] bytes, float[] scores) {
    this.bytes = bytes;
    this.scores = scores;
    for (int id = FIRST_PIECE; id < bytes.length; id++) {
      ids.putIfAbsent(key(bytes[id]), id);
    }
  }

  /** Reads a tokenizer file, which must hold just the tokens that the model has. */
  static Tokenizer read(DataFile file, Checkpoint model) {
    int count = count(file);
    int vocabSize = model.shape().vocabSize();
    if (count != vocabSize) {
      throw new StoryException("%s: %d tokens, but the model %s has %d", file.name(), count,
          model.name(), vocabSize);
    }
    if (count < FIRST_PIECE) {
      throw new StoryException("%s: %d tokens, but the special ones and the bytes alone are %d",
          file.name(), count, FIRST_PIECE);
    }
    byte[][] bytes = new byte[count][];
    float[] scores = new float[count];
    long offset = Integer.BYTES;
    for (int id = 0; id < count; id++) {
      scores[id] = file.bytes().get(FLOAT, offset);
      int length = file.bytes().get(INT, offset + Float.BYTES);
      offset += Float.BYTES + Integer.BYTES;
      bytes[id] = file.bytes().asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
      offset += length;
    }
    for (int value = 0; value < 256; value++) {
      int id = FIRST_BYTE + value;
      String name = "<0x%02X>".formatted(value);
      if (!key(bytes[id]).equals(name)) {
        throw new StoryException("%s: token %d is not %s", file.name(), id, name);
      }
      bytes[id] = new byte[] {(byte) value};
    }
    return new Tokenizer(bytes, scores);
  }

  /** Counts the tokens in a file while checking every length and score in it. */
  private static int count(DataFile file) {
    MemorySegment data = file.bytes();
    if (file.size() < Integer.BYTES) {
      throw new StoryException("%s: %d bytes, but the header alone takes %d", file.name(),
          file.size(), Integer.BYTES);
    }
    int longest = data.get(INT, 0);
    if (longest < 1) {
      throw new StoryException("%s: the longest token has length %d", file.name(), longest);
    }
    int count = 0;
    long offset = Integer.BYTES;
    while (offset < file.size()) {
      long left = file.size() - offset - Float.BYTES - Integer.BYTES;
      if (left < 0) {
        throw new StoryException("%s: ends after %d bytes, inside token %d", file.name(),
            file.size(), count);
      }
      if (!Float.isFinite(data.get(FLOAT, offset))) {
        throw new StoryException("%s: the score of token %d is %s", file.name(), count,
            data.get(FLOAT, offset));
      }
      int length = data.get(INT, offset + Float.BYTES);
      if (length < 1 || length > longest) {
        throw new StoryException("%s: token %d has length %d, outside 1 to %d", file.name(), count,
            length, longest);
      }
      if (length > left) {
        throw new StoryException("%s: ends after %d bytes, inside token %d", file.name(),
            file.size(), count);
      }
      offset = file.size() - left + length;
      count++;
    }
    return count;
  }

  /** The bytes that a token stands for; not to be changed. */
  byte[] bytes(int token) {
    return bytes[token];
  }

  /**
   * The tokens of a text, {@link #BOS} first. A space is put before a text that is not empty, as
   * the vocabulary's words begin with one.
   */
  int[] encode(String text) {
    int[] tokens = text.isEmpty() ? new int[0] : merge(split(" " + text));
    int[] result = new int[tokens.length + 1];
    result[0] = BOS;
    System.arraycopy(tokens, 0, result, 1, tokens.length);
    return result;
  }

  /** A token for each character that is a piece, and tokens for the bytes of any other. */
  private int[] split(String text) {
    return text.codePoints()
        .mapToObj(point -> Character.toString(point).getBytes(StandardCharsets.UTF_8))
        .flatMapToInt(character -> {
          Integer id = ids.get(key(character));
          return id != null
              ? Arrays.stream(new int[] {id})
              : key(character).chars().map(value -> FIRST_BYTE + value);
        })
        .toArray();
  }

  /** Joins neighbours until no pair is a piece. A joined token stays in the left one's place. */
  private int[] merge(int[] tokens) {
    int count = tokens.length;
    int[] before = new int[count];
    int[] after = new int[count];
    Arrays.setAll(before, i -> i - 1);
    Arrays.setAll(after, i -> i + 1);
    PriorityQueue<Pair> pairs = new PriorityQueue<>(
        Comparator.comparing(Pair::score).reversed().thenComparing(Pair::place));
    for (int i = 0; i + 1 < count; i++) {
      offer(pairs, tokens, i, i + 1);
    }
    for (Pair pair = pairs.poll(); pair != null; pair = pairs.poll()) {
      int place = pair.place;
      int next = after[place];
      if (next >= count || tokens[place] != pair.left || tokens[next] != pair.right) {
        continue; // one of the two has been joined to another in the meantime
      }
      tokens[place] = pair.joined;
      tokens[next] = -1;
      after[place] = after[next];
      if (after[place] < count) {
        before[after[place]] = place;
        offer(pairs, tokens, place, after[place]);
      }
      if (before[place] >= 0) {
        offer(pairs, tokens, before[place], place);
      }
    }
    return Arrays.stream(tokens).filter(token -> token >= 0).toArray();
  }

  private void offer(PriorityQueue<Pair> pairs, int[] tokens, int place, int next) {
    int left = tokens[place];
    int right = tokens[next];
    if (left < FIRST_PIECE || right < FIRST_PIECE) {
      return; // single bytes stay single
    }
    Integer joined = ids.get(key(bytes[left]) + key(bytes[right]));
    if (joined != null) {
      pairs.add(new Pair(scores[joined], place, left, right, joined));
    }
  }

  private static String key(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** Two neighbours that form a piece, and the place of the left one. */
  private record Pair(float score, int place, int left, int right, int joined) {}
}
