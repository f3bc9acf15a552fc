package dev.panorm.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panorm.DType;
import dev.panorm.bench.baseline.SegmentNorms;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Java on off-heap memory segments, aligned as the library's tensors are. */
record SegmentContender(String name, SegmentNorms norms) implements Contender {
  @Override
  public boolean supports(Operation operation, DType type) {
    return type == DType.F32;
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    MemorySegment x = copy(arena, w.data().x());
    MemorySegment residual = copy(arena, w.data().residual());
    MemorySegment gain = copy(arena, w.data().gain());
    MemorySegment bias = copy(arena, w.data().bias());
    MemorySegment y = copy(arena, new float[w.data().x().length]);
    int n = w.cols();
    int span = w.operation().span(n);
    long size = w.data().x().length;
    return new Task() {
      @Override
      public void run() {
        for (long at = 0; at < size; at += n) {
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
        return y.toArray(JAVA_FLOAT);
      }
    };
  }

  private static MemorySegment copy(Arena arena, float[] values) {
    MemorySegment segment = arena.allocate(4L * values.length, 64);
    return segment.copyFrom(MemorySegment.ofArray(values));
  }
}
