package dev.panorm.examples;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * Chooses the next token: the likeliest at temperature 0, else by chance among the likeliest tokens
 * that together reach the probability top-p. The same seed and logits give the same choices.
 */
final class Sampler {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;

  private final double temperature;
  private final double topP;
  private final SplittableRandom random;
  private final double[] weights;

  /** A heap of tokens, the likeliest first. */
  private final int[] heap;

  Sampler(int vocabSize, double temperature, double topP, long seed) {
    this.temperature = temperature;
    this.topP = topP;
    this.random = new SplittableRandom(seed);
    this.weights = new double[vocabSize];
    this.heap = new int[vocabSize];
  }

  /** The next token, or -1 if the logits are not numbers. */
  int next(MemorySegment logits) {
    int likeliest = 0;
    for (int i = 0; i < weights.length; i++) {
      float logit = logits.getAtIndex(F32, i);
      if (!Float.isFinite(logit)) {
        return -1;
      }
      if (logit > logits.getAtIndex(F32, likeliest)) {
        likeliest = i;
      }
    }
    return temperature == 0 ? likeliest : draw(logits, logits.getAtIndex(F32, likeliest));
  }

  private int draw(MemorySegment logits, double max) {
    double total = 0;
    for (int i = 0; i < weights.length; i++) {
      weights[i] = StrictMath.exp((logits.getAtIndex(F32, i) - max) / temperature);
      total += weights[i];
      heap[i] = i;
    }
    for (int i = heap.length / 2 - 1; i >= 0; i--) {
      sink(i, heap.length);
    }
    // The likeliest tokens move to the end of the array, one by one, until they weigh enough.
    double enough = topP * total;
    double kept = 0;
    int first = heap.length;
    while (first > 0 && (kept < enough || first == heap.length)) {
      int token = heap[0];
      first--;
      heap[0] = heap[first];
      heap[first] = token;
      sink(0, first);
      kept += weights[token];
    }
    double left = random.nextDouble() * kept;
    for (int i = heap.length - 1; i > first; i--) {
      left -= weights[heap[i]];
      if (left < 0) {
        return heap[i];
      }
    }
    return heap[first];
  }

  private void sink(int from, int size) {
    int place = from;
    while (true) {
      int child = 2 * place + 1;
      if (child >= size) {
        return;
      }
      if (child + 1 < size && before(heap[child + 1], heap[child])) {
        child++;
      }
      if (!before(heap[child], heap[place])) {
        return;
      }
      int moved = heap[place];
      heap[place] = heap[child];
      heap[child] = moved;
      place = child;
    }
  }

  /** The likelier token goes first, the lower id among equals. */
  private boolean before(int a, int b) {
    return weights[a] > weights[b] || (weights[a] == weights[b] && a < b);
  }
}
