package dev.panorm.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panorm.bench.baseline.Norms;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Norms written in Java.
 *
 * @param <M> what they hold numbers in
 * @param copy of an array, in memory of that kind
 * @param result the numbers in it
 */
record JavaContender<M>(String name, Norms<M> norms, BiFunction<Arena, float[], M> copy,
    Function<M, float[]> result) implements Contender {
  static JavaContender<float[]> onArrays(String name, Norms<float[]> norms) {
    return new JavaContender<>(name, norms, (_, values) -> values.clone(), float[]::clone);
  }

  /** Off-heap, aligned as the library's tensors are. */
  static JavaContender<MemorySegment> onSegments(String name, Norms<MemorySegment> norms) {
    return new JavaContender<>(name, norms, (arena,
        values) -> arena.allocate(4L * values.length, 64).copyFrom(MemorySegment.ofArray(values)),
        segment -> segment.toArray(JAVA_FLOAT));
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    M x = copy.apply(arena, w.data().x());
    M residual = copy.apply(arena, w.data().residual());
    M gain = copy.apply(arena, w.data().gain());
    M bias = copy.apply(arena, w.data().bias());
    int size = w.data().x().length;
    M y = copy.apply(arena, new float[size]);
    int n = w.cols();
    int span = w.operation().span(n);
    return new Task() {
      @Override
      public void run() {
        for (int at = 0; at < size; at += n) {
          switch (w.operation()) {
            case RMS_NORM, PARTIAL_RMS_NORM ->
              norms.rmsNorm(x, gain, y, at, n, span, Workload.EPSILON);
            case ADD_RMS_NORM -> norms.addRmsNorm(x, residual, gain, y, at, n, Workload.EPSILON);
            case LAYER_NORM -> norms.layerNorm(x, gain, bias, y, at, n, Workload.EPSILON);
          }
        }
      }

      @Override
      public float[] result() {
        return result.apply(y);
      }
    };
  }
}
