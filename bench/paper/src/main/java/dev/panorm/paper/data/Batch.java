package dev.panorm.paper.data;

import dev.panorm.paper.nn.CrossEntropy;
import java.util.Arrays;
import java.util.List;

/**
 * Sentence pairs whose sources are equally long, by time: element {@code t * size + b} is step t of
 * sentence b.
 *
 * @param size how many pairs
 * @param source tokens, the end included
 * @param input what the decoder reads: the beginning, then the target
 * @param output what it shall say: the target, the end, then {@link CrossEntropy#NONE}
 */
public record Batch(int size, int[] source, int[] input, int[] output) {

  static Batch of(List<Example> examples) {
    int size = examples.size();
    int[] source = new int[examples.getFirst().source().length * size];
    int steps = 1 + examples.stream().mapToInt(e -> e.target().length).max().orElseThrow();
    int[] input = new int[steps * size];
    int[] output = new int[steps * size];
    Arrays.fill(input, Vocabulary.END);
    Arrays.fill(output, CrossEntropy.NONE);
    for (int b = 0; b < size; b++) {
      int[] from = examples.get(b).source();
      for (int t = 0; t < from.length; t++) {
        source[t * size + b] = from[t];
      }
      int[] target = examples.get(b).target();
      input[b] = Vocabulary.BEGIN;
      for (int t = 0; t < target.length; t++) {
        input[(t + 1) * size + b] = target[t];
        output[t * size + b] = target[t];
      }
      output[target.length * size + b] = Vocabulary.END;
    }
    return new Batch(size, source, input, output);
  }

  /** Steps of the source. */
  public int sourceSteps() {
    return source.length / size;
  }

  /** Steps of the target. */
  public int targetSteps() {
    return output.length / size;
  }
}
