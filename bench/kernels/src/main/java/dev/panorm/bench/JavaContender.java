package dev.panorm.bench;

import dev.panorm.bench.baseline.Gradients;
import dev.panorm.bench.baseline.Norms;
import dev.panorm.bench.baseline.PlainGradients;
import dev.panorm.bench.baseline.PlainLoop;
import dev.panorm.bench.baseline.PlainQuantizer;
import dev.panorm.bench.baseline.PlainSixteenBit;
import dev.panorm.bench.baseline.Quantizer;
import dev.panorm.bench.baseline.Reader;
import dev.panorm.bench.baseline.ScalarLanes;
import dev.panorm.bench.baseline.VectorArrays;
import dev.panorm.bench.baseline.VectorBf16;
import dev.panorm.bench.baseline.VectorF16;
import dev.panorm.bench.baseline.VectorGradients;
import dev.panorm.bench.baseline.VectorQuantizer;
import dev.panorm.bench.baseline.VectorSegmentGradients;
import dev.panorm.bench.baseline.VectorSegments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Norms written in Java, in one way. */
record JavaContender(String name, Map<Problem, Solution> solutions) implements Contender {
  /** How to solve a problem. */
  interface Solution {
    Task bind(Workload workload, Arena arena);
  }

  /** The loops that engines on the JVM write today. */
  static JavaContender plain() {
    return new JavaContender("plain", new HashMap<>())
        .forward(Format.F32, PlainLoop::new, Memory.floats())
        .forward(Format.BF16, PlainSixteenBit.Bf16::new, Memory.shorts(Format.BF16))
        .forward(Format.F16, PlainSixteenBit.F16::new, Memory.shorts(Format.F16))
        .quantize(PlainQuantizer::new)
        .backward(PlainGradients::new, Memory.floats());
  }

  /** Several running sums. */
  static JavaContender scalar() {
    return new JavaContender("scalar", new HashMap<>()).forward(Format.F32, ScalarLanes::new,
        Memory.floats());
  }

  // Lambdas, not constructor references: those would load the incubating API where it is not used.

  /** The Vector API on arrays. */
  static JavaContender vector() {
    return new JavaContender("vector", new HashMap<>())
        .forward(Format.F32, () -> new VectorArrays(), Memory.floats())
        .forward(Format.BF16, () -> new VectorBf16(), Memory.shorts(Format.BF16))
        .forward(Format.F16, () -> new VectorF16(), Memory.shorts(Format.F16))
        .quantize(() -> new VectorQuantizer())
        .backward(() -> new VectorGradients(), Memory.floats());
  }

  /** The Vector API on off-heap segments. */
  static JavaContender vectorSegment() {
    return new JavaContender("vector-segment", new HashMap<>())
        .forward(Format.F32, () -> new VectorSegments(), Memory.segments())
        .with(Operation.RMS_NORM_READ, Format.F32,
            (w, arena) -> forward(w, arena, new VectorSegments(), Memory.segments()))
        .backward(() -> new VectorSegmentGradients(), Memory.segments());
  }

  @Override
  public boolean solves(Problem problem) {
    return solutions.containsKey(problem);
  }

  @Override
  public Task bind(Workload workload, Arena arena) {
    return solutions.get(workload.problem()).bind(workload, arena);
  }

  private JavaContender with(Operation operation, Format format, Solution solution) {
    solutions.put(new Problem(operation, format), solution);
    return this;
  }

  private <M> JavaContender forward(Format format, Supplier<Norms<M>> norms, Memory<M> memory) {
    Solution solution = (w, arena) -> forward(w, arena, norms.get(), memory);
    return with(Operation.RMS_NORM, format, solution)
        .with(Operation.PARTIAL_RMS_NORM, format, solution)
        .with(Operation.ADD_RMS_NORM, format, solution)
        .with(Operation.LAYER_NORM, format, solution);
  }

  private JavaContender quantize(Supplier<Quantizer> quantizer) {
    return with(Operation.RMS_NORM_INT8, Format.F32, (w, _) -> quantize(w, quantizer.get()));
  }

  private <M> JavaContender backward(Supplier<Gradients<M>> gradients, Memory<M> memory) {
    Solution solution = (w, arena) -> backward(w, arena, gradients.get(), memory);
    return with(Operation.RMS_NORM_BACKWARD, Format.F32, solution)
        .with(Operation.LAYER_NORM_BACKWARD, Format.F32, solution);
  }

  private static <M> Task forward(Workload w, Arena arena, Norms<M> norms, Memory<M> memory) {
    // In the order in which the library's side has them, so that they lie alike.
    M x = memory.of(arena, w.data().x());
    M gain = memory.of(arena, w.data().gain());
    int size = w.data().x().length;
    M y = memory.of(arena, new float[size]);
    M residual = memory.of(arena, w.data().residual());
    M bias = memory.of(arena, w.data().bias());
    int n = w.cols();
    int span = w.operation().span(n);
    float epsilon = Workload.EPSILON;
    Reader reader = new Reader();
    Runnable call = switch (w.operation()) {
      case RMS_NORM, PARTIAL_RMS_NORM -> () -> {
        for (int at = 0; at < size; at += n) {
          norms.rmsNorm(x, gain, y, at, n, span, epsilon);
        }
      };
      case RMS_NORM_READ -> () -> {
        for (int at = 0; at < size; at += n) {
          norms.rmsNorm(x, gain, y, at, n, span, epsilon);
        }
        reader.read((MemorySegment) y);
      };
      case ADD_RMS_NORM -> () -> {
        for (int at = 0; at < size; at += n) {
          norms.addRmsNorm(x, residual, gain, y, at, n, epsilon);
        }
      };
      case LAYER_NORM -> () -> {
        for (int at = 0; at < size; at += n) {
          norms.layerNorm(x, gain, bias, y, at, n, epsilon);
        }
      };
      default -> throw new AssertionError(w.operation());
    };
    return new Task(call, () -> memory.values(y));
  }

  private static Task quantize(Workload w, Quantizer quantizer) {
    float[] x = w.data().x().clone();
    float[] gain = w.data().gain().clone();
    byte[] y = new byte[x.length];
    float[] scale = new float[w.rows()];
    int n = w.cols();
    return new Task(() -> {
      for (int r = 0; r < scale.length; r++) {
        scale[r] = quantizer.rmsNorm(x, gain, y, r * n, n, Workload.EPSILON);
      }
    }, () -> {
      float[] all = new float[y.length];
      for (int i = 0; i < all.length; i++) {
        all[i] = y[i] * scale[i / n];
      }
      return all;
    });
  }

  private static <M> Task backward(Workload w, Arena arena, Gradients<M> gradients,
      Memory<M> memory) {
    // In the order in which the library's side has them, as above.
    M x = memory.of(arena, w.data().x());
    M gain = memory.of(arena, w.data().gain());
    M dx = memory.of(arena, new float[w.data().x().length]);
    M dy = memory.of(arena, w.data().dy());
    float[] mean = w.data().mean().clone();
    float[] inverse = w.data().inverse().clone();
    int n = w.cols();
    M dGain = memory.of(arena, new float[n]);
    M dBias = memory.of(arena, new float[w.operation().centres() ? n : 0]);
    Runnable call = w.operation() == Operation.RMS_NORM_BACKWARD
        ? () -> gradients.rmsNorm(dy, x, gain, inverse, dx, dGain, n)
        : () -> gradients.layerNorm(dy, x, gain, mean, inverse, dx, dGain, dBias, n);
    return new Task(call, () -> {
      float[] first = memory.values(dx);
      float[] second = memory.values(dGain);
      float[] third = memory.values(dBias);
      float[] all = Arrays.copyOf(first, first.length + second.length + third.length);
      System.arraycopy(second, 0, all, first.length, second.length);
      System.arraycopy(third, 0, all, first.length + second.length, third.length);
      return all;
    });
  }
}
