package dev.panorm.bench;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * Times two tasks by alternating short slices of both. The speed of a shared machine wanders by a
 * factor of two within seconds, which moves both sides of a pair, and alike if the same limits
 * them: the median of the pairwise ratios holds still where the times do not.
 */
final class Pairing {
  private static final long SLICE_NANOS = 1_000_000;
  private static final long WARM_UP_NANOS = 4_000_000_000L;

  private Pairing() {}

  /**
   * What came out.
   *
   * @param first median ns per call of the first
   * @param second median ns per call of the second
   * @param ratio median of second / first: how many times as long the second takes
   */
  record Result(double first, double second, double ratio) {}

  /**
   * Times them.
   *
   * @param spinNanos how long threads of a side may run on after a call: 0 if there are none. So
   *     long each slice waits, and at least so long it is
   */
  static Result measure(Task first, Task second, int warmUpCalls, int pairs, long warmUpNanos,
      long spinNanos) {
    Runnable a = first.call();
    Runnable b = second.call();
    warmUp(a, warmUpCalls);
    warmUp(b, warmUpCalls);
    long end = System.nanoTime() + warmUpNanos;
    int callsA = 1;
    int callsB = 1;
    do {
      callsA = calls(callsA, slice(a, callsA, 0), spinNanos);
      callsB = calls(callsB, slice(b, callsB, 0), spinNanos);
    } while (System.nanoTime() < end);

    double[] timesA = new double[pairs];
    double[] timesB = new double[pairs];
    double[] ratios = new double[pairs];
    for (int i = 0; i < pairs; i++) {
      // Who is first changes, so that a drift favours neither.
      if (i % 2 == 0) {
        timesA[i] = slice(a, callsA, spinNanos) / ((double) callsA * first.calls());
      }
      timesB[i] = slice(b, callsB, spinNanos) / ((double) callsB * second.calls());
      if (i % 2 != 0) {
        timesA[i] = slice(a, callsA, spinNanos) / ((double) callsA * first.calls());
      }
      ratios[i] = timesB[i] / timesA[i];
    }
    return new Result(quantile(timesA, 0.5), quantile(timesB, 0.5), quantile(ratios, 0.5));
  }

  /** Until compiled: the Vector API is a thousand times slower before. */
  private static void warmUp(Runnable task, int calls) {
    long end = System.nanoTime() + WARM_UP_NANOS;
    for (int i = 0; i < calls && System.nanoTime() < end; i++) {
      task.run();
    }
  }

  private static int calls(int calls, long nanos, long spinNanos) {
    double wanted = (double) calls * Math.max(SLICE_NANOS, spinNanos) / Math.max(1, nanos);
    return (int) Math.clamp(Math.min(wanted, calls * 10.0), 1, 1 << 20);
  }

  /** Begins with a call that is not timed: it fetches what the other side drove out of the caches. */
  private static long slice(Runnable task, int calls, long spinNanos) {
    if (spinNanos > 0) {
      LockSupport.parkNanos(spinNanos);
      for (int i = 0; i < calls / 2; i++) {
        task.run();
      }
    } else {
      task.run();
    }
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      task.run();
    }
    return System.nanoTime() - start;
  }

  static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
