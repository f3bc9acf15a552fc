package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
  private static final int DRAWS = 40_000;

  @Test
  void coldTakesTheLikeliestAndTheFirstAmongEquals() {
    float[] logits = {-3, 2, 5, 1, 5};
    assertArrayEquals(new int[] {0, 0, DRAWS, 0, 0}, draw(logits, 0, 0.9, 1));
    assertArrayEquals(new int[] {0, 0, DRAWS, 0, 0}, draw(logits, 1e-300, 1e-300, 1));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 2})
  void frequenciesAreTheSoftmaxOfTheLogits(double temperature) {
    float[] logits = {0.5f, -1, 2, 1.25f, -0.5f, 1.75f, 0};
    assertFrequencies(logits, temperature, 1, 0, 1, 2, 3, 4, 5, 6);
  }

  /** The probabilities are 0.1, 0.4, 0.2, 0.3. */
  @ParameterizedTest
  @CsvSource({"0.001, 1", "0.39, 1", "0.41, 13", "0.69, 13", "0.71, 132", "0.89, 132",
    "0.91, 1320"})
  void topKeepsTheFewestTokensThatReachIt(double topP, String kept) {
    float[] logits = {log(0.1), log(0.4), log(0.2), log(0.3)};
    assertFrequencies(logits, 1, topP, kept.chars().map(c -> c - '0').toArray());
  }

  @Test
  void seedDecides() {
    float[] logits = new float[50];
    int[] one = sequence(logits, 1);
    assertArrayEquals(one, sequence(logits, 1));
    assertEquals(false, java.util.Arrays.equals(one, sequence(logits, 2)));
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void logitsThatAreNotNumbersAreRefused(float value) {
    for (double temperature : new double[] {0, 1}) {
      Sampler sampler = new Sampler(3, temperature, 0.9, 1);
      assertEquals(-1, sampler.next(MemorySegment.ofArray(new float[] {1, 2, value})));
    }
  }

  /** Whether only these tokens come, each within five standard deviations of its share. */
  private static void assertFrequencies(float[] logits, double temperature, double topP,
      int... tokens) {
    double[] share = new double[logits.length];
    double total = 0;
    for (int token : tokens) {
      share[token] = Math.exp(logits[token] / temperature);
      total += share[token];
    }
    int[] counts = draw(logits, temperature, topP, 7);
    for (int i = 0; i < logits.length; i++) {
      double p = share[i] / total;
      assertEquals(DRAWS * p, counts[i], 5 * Math.sqrt(DRAWS * p * (1 - p)), "token " + i);
    }
  }

  private static int[] draw(float[] logits, double temperature, double topP, long seed) {
    Sampler sampler = new Sampler(logits.length, temperature, topP, seed);
    int[] counts = new int[logits.length];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.next(MemorySegment.ofArray(logits))]++;
    }
    return counts;
  }

  private static int[] sequence(float[] logits, long seed) {
    Sampler sampler = new Sampler(logits.length, 1, 1, seed);
    MemorySegment segment = MemorySegment.ofArray(logits);
    return IntStream.range(0, 100).map(i -> sampler.next(segment)).toArray();
  }

  private static float log(double p) {
    return (float) Math.log(p);
  }
}
