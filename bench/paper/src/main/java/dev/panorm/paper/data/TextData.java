package dev.panorm.paper.data;

import dev.panorm.paper.BadInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A text as one row of tokens, a {@link Vocabulary#BEGIN} before each paragraph; the last twentieth
 * of the paragraphs is for validation.
 */
public final class TextData {
  private final Vocabulary vocabulary;
  private final int context;
  private final int batchSize;
  private final int[] training;
  private final int[] validation;

  /** Splits paragraphs and learns a vocabulary from the training part. */
  public TextData(List<String> paragraphs, int vocabularySize, int context, int batchSize) {
    this.context = context;
    this.batchSize = batchSize;
    int split = paragraphs.size() - Math.max(1, paragraphs.size() / 20);
    this.vocabulary = Vocabulary.learn(paragraphs.subList(0, split), vocabularySize);
    this.training = encode(paragraphs.subList(0, split));
    this.validation = encode(paragraphs.subList(split, paragraphs.size()));
    if (training.length <= context || validation.length <= context) {
      throw new BadInput(
          "The text has %d tokens to train on and %d to validate on; both must exceed the context of %d",
          training.length, validation.length, context);
    }
  }

  private int[] encode(List<String> paragraphs) {
    List<int[]> parts = new ArrayList<>();
    for (String paragraph : paragraphs) {
      parts.add(new int[] {Vocabulary.BEGIN});
      parts.add(vocabulary.encode(paragraph));
    }
    return parts.stream().flatMapToInt(Arrays::stream).toArray();
  }

  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Tokens to train and to validate on. */
  public List<Integer> sizes() {
    return List.of(training.length, validation.length);
  }

  /** Windows from places that depend on the seed and the step. */
  public TextBatch batch(long seed, int step) {
    SplittableRandom random = new SplittableRandom(seed * 1_000_003 + step);
    int[] starts = random.ints(batchSize, 0, training.length - context).toArray();
    return batch(training, starts);
  }

  /** Windows spread evenly over the validation part, at most so many batches. */
  public List<TextBatch> validation(int batches) {
    int windows = Math.min(batches * batchSize, (validation.length - 1) / context);
    int[] starts = new int[windows];
    Arrays.setAll(starts,
        i -> (int) ((long) i * (validation.length - 1 - context) / Math.max(1, windows - 1)));
    List<TextBatch> result = new ArrayList<>();
    for (int from = 0; from < windows; from += batchSize) {
      result.add(
          batch(validation, Arrays.copyOfRange(starts, from, Math.min(windows, from + batchSize))));
    }
    return result;
  }

  private TextBatch batch(int[] tokens, int[] starts) {
    int size = starts.length;
    int[] input = new int[context * size];
    int[] output = new int[context * size];
    for (int i = 0; i < input.length; i++) {
      input[i] = tokens[starts[i % size] + i / size];
      output[i] = tokens[starts[i % size] + i / size + 1];
    }
    return new TextBatch(size, input, output);
  }
}
