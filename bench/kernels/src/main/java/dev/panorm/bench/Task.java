package dev.panorm.bench;

import java.util.function.Supplier;

/**
 * A contender's solution of one problem, buffers bound.
 *
 * @param call computes {@code calls} times; this alone is timed
 * @param calls more than one only for loops in C
 * @param result what the last call wrote, as numbers: y (of bytes, with their scale applied);
 *     backward dx, then the gradients of gain and bias
 */
public record Task(Runnable call, int calls, Supplier<float[]> result) {
  /** One that computes once a call. */
  public Task(Runnable call, Supplier<float[]> result) {
    this(call, 1, result);
  }
}
