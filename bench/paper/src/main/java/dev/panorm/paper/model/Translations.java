package dev.panorm.paper.model;

import dev.panorm.paper.data.Batch;
import dev.panorm.paper.data.Vocabulary;
import java.util.Arrays;

/** Translations of a batch as they grow, by time as everywhere: the beginning, then tokens. */
final class Translations {
  private final int size;
  private final int longest;
  private final boolean[] ended;
  private int[] said;

  Translations(Batch batch) {
    size = batch.size();
    longest = longest(batch.sourceSteps());
    ended = new boolean[size];
    said = new int[size];
    Arrays.fill(said, Vocabulary.BEGIN);
  }

  /** The longest translation that is tried for a source of so many steps. */
  static int longest(int sourceSteps) {
    return 2 * sourceSteps + 5;
  }

  /** Adds a token to each. */
  void add(int[] tokens) {
    said = Arrays.copyOf(said, said.length + size);
    System.arraycopy(tokens, 0, said, said.length - size, size);
    for (int b = 0; b < size; b++) {
      ended[b] |= tokens[b] == Vocabulary.END;
    }
  }

  /** Whether all have ended, or are as long as may be. */
  boolean finished() {
    boolean all = true;
    for (boolean one : ended) {
      all &= one;
    }
    return all || said.length / size > longest;
  }

  /** What the decoder has to read: everything so far. */
  int[] input() {
    return said;
  }

  /** The last step. */
  int[] last() {
    return Arrays.copyOfRange(said, said.length - size, said.length);
  }

  /** One row a sentence; what follows an end is void. */
  int[][] tokens() {
    int[][] tokens = new int[size][said.length / size - 1];
    for (int b = 0; b < size; b++) {
      for (int t = 0; t < tokens[b].length; t++) {
        tokens[b][t] = said[(t + 1) * size + b];
      }
    }
    return tokens;
  }
}
