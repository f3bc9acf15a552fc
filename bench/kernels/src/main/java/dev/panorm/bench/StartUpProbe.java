package dev.panorm.bench;

import dev.panorm.DType;
import dev.panorm.RmsNorm;
import dev.panorm.Tensor;
import dev.panorm.bench.baseline.PlainLoop;
import dev.panorm.bench.baseline.VectorArrays;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The first norms of a fresh JVM. A program of its own: argument 0 is the side, 1 the time at which
 * this JVM was started, in the starter's nanoseconds. It uses as little of the JDK as it can, so
 * that what it takes long over is the norm.
 */
final class StartUpProbe {
  static final int COLS = 1024;
  private static final int FIRST_CALLS = 1000;
  private static final int MORE_CALLS = 10_000;
  private static final int WINDOW_CALLS = 500;
  private static final long WATCHED_NANOS = 2_000_000_000;

  /** Windows whose median must be fast before speed counts as full. */
  private static final int STEADY_WINDOWS = 20;

  /** Full speed is to within a half: the machine's wanders. */
  private static final double FULL = 1.5;

  /**
   * One run, in ms.
   *
   * @param main from the start to the main method
   * @param first from the start to the first result
   * @param next999 calls 2 to 1,000
   * @param next9999 calls 2 to 10,000
   * @param full from the start to full speed
   * @param nanos ns per call at full speed
   */
  record Outcome(double main, double first, double next999, double next9999, double full,
      double nanos) {}

  private abstract static class Norm {
    final float[] x = new float[COLS];
    final float[] gain = new float[COLS];

    Norm() {
      for (int i = 0; i < COLS; i++) {
        x[i] = i + 1;
        gain[i] = 1;
      }
    }

    abstract void call();

    abstract float firstElement();
  }

  private static final class Native extends Norm {
    private final Tensor input;
    private final Tensor output;
    private final RmsNorm norm;

    Native() {
      Arena arena = Arena.ofAuto();
      input = Tensor.allocate(arena, DType.F32, 1, COLS);
      input.segment().copyFrom(MemorySegment.ofArray(x));
      output = Tensor.allocate(arena, DType.F32, 1, COLS);
      Tensor parameter = Tensor.allocate(arena, DType.F32, 1, COLS);
      parameter.segment().copyFrom(MemorySegment.ofArray(gain));
      norm = RmsNorm.builder(parameter).epsilon(Workload.EPSILON).build();
    }

    @Override
    void call() {
      norm.forward(input, output);
    }

    @Override
    float firstElement() {
      float[] first = new float[1];
      MemorySegment.ofArray(first).copyFrom(output.segment().asSlice(0, Float.BYTES));
      return first[0];
    }
  }

  private abstract static class OnArrays extends Norm {
    final float[] y = new float[COLS];

    @Override
    float firstElement() {
      return y[0];
    }
  }

  private static final class Plain extends OnArrays {
    private final PlainLoop norm = new PlainLoop();

    @Override
    void call() {
      norm.rmsNorm(x, gain, y, 0, COLS, COLS, Workload.EPSILON);
    }
  }

  private static final class Vector extends OnArrays {
    private final VectorArrays norm = new VectorArrays();

    @Override
    void call() {
      norm.rmsNorm(x, gain, y, 0, COLS, COLS, Workload.EPSILON);
    }
  }

  private StartUpProbe() {}

  /** Runs, and prints the outcome. */
  public static void main(String[] args) {
    long main = System.nanoTime();
    long started = Long.parseLong(args[1]);
    Norm norm = switch (args[0]) {
      case "native" -> new Native();
      case "plain" -> new Plain();
      case "vector" -> new Vector();
      default -> throw new IllegalArgumentException(args[0]);
    };
    norm.call();
    float result = norm.firstElement();
    long first = System.nanoTime();
    for (int i = 1; i < FIRST_CALLS; i++) {
      norm.call();
    }
    long thousandth = System.nanoTime();

    // By windows from here on, of which some end the ten thousand.
    long[] ends = new long[1 << 18];
    ends[0] = thousandth;
    int windows = 0;
    while (windows < ends.length - 1 && ends[windows] - thousandth < WATCHED_NANOS) {
      for (int i = 0; i < WINDOW_CALLS; i++) {
        norm.call();
      }
      ends[++windows] = System.nanoTime();
    }
    // 1 / sqrt(mean of 1, 4, 9, ...), about sqrt(3) / COLS.
    if (!(Math.abs(result - Math.sqrt(3) / COLS) < 1e-5)) {
      throw new IllegalStateException("The first result is " + result);
    }
    double[] times = new double[windows];
    for (int i = 0; i < windows; i++) {
      times[i] = (ends[i + 1] - ends[i]) / (double) WINDOW_CALLS;
    }
    double nanos = Pairing.quantile(Arrays.copyOfRange(times, windows * 3 / 4, windows), 0.5);
    System.out.println(Child.line(new Outcome((main - started) / 1e6, (first - started) / 1e6,
        (thousandth - first) / 1e6, (ends[(MORE_CALLS - FIRST_CALLS) / WINDOW_CALLS] - first) / 1e6,
        (ends[firstFast(times, nanos)] - started) / 1e6, nanos)));
  }

  /** The first window at full speed that has those after it at that, too, nearly all. */
  static int firstFast(double[] times, double nanos) {
    int i = 0;
    while (i + STEADY_WINDOWS < times.length && (times[i] > FULL * nanos || Pairing
        .quantile(Arrays.copyOfRange(times, i, i + STEADY_WINDOWS), 0.5) > FULL * nanos)) {
      i++;
    }
    return i;
  }
}
