package dev.panorm.bench.baseline;

import java.lang.foreign.MemorySegment;

/** {@link ArrayNorms} on memory segments; {@code at} counts elements. */
public interface SegmentNorms {
  /** RMSNorm over the first {@code span} of {@code n} elements; the full norm for span == n. */
  void rmsNorm(MemorySegment x, MemorySegment gain, MemorySegment y, long at, int n, int span,
      float epsilon);

  /** residual += x; y = norm(residual). */
  void addRmsNorm(MemorySegment x, MemorySegment residual, MemorySegment gain, MemorySegment y,
      long at, int n, float epsilon);

  /** LayerNorm, two passes over the row for its statistics. */
  void layerNorm(MemorySegment x, MemorySegment gain, MemorySegment bias, MemorySegment y, long at,
      int n, float epsilon);

  /** The gradients of RMSNorm: dx is overwritten, dGain added to. */
  void rmsNormBackward(MemorySegment dy, MemorySegment x, MemorySegment gain, float inverse,
      MemorySegment dx, MemorySegment dGain, long at, int n);
}
