package dev.panorm.bench.baseline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link VectorGradients} on memory segments, written as {@link VectorSegments} is. One instance
 * serves one thread.
 */
public final class VectorSegmentGradients implements Gradients<MemorySegment> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final long B = S.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** Of dy * gain, and of that with x - mean. */
  private float sum;
  private float dot;

  @Override
  public void rmsNorm(MemorySegment dy, MemorySegment x, MemorySegment gain, float inverse,
      MemorySegment dx, MemorySegment dGain, int at, int n) {
    float share = dot(dy, x, gain, 4L * at, n) * inverse * inverse / n;
    spread(dy, x, gain, inverse, share, dx, dGain, 4L * at, n);
  }

  private static float dot(MemorySegment dy, MemorySegment x, MemorySegment gain, long from,
      int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      long g = 4L * i;
      long p = from + g;
      a0 = FloatVector.fromMemorySegment(S, dy, p, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g, ORDER))
          .fma(FloatVector.fromMemorySegment(S, x, p, ORDER), a0);
      a1 = FloatVector.fromMemorySegment(S, dy, p + B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g + B, ORDER))
          .fma(FloatVector.fromMemorySegment(S, x, p + B, ORDER), a1);
      a2 = FloatVector.fromMemorySegment(S, dy, p + 2 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g + 2 * B, ORDER))
          .fma(FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER), a2);
      a3 = FloatVector.fromMemorySegment(S, dy, p + 3 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g + 3 * B, ORDER))
          .fma(FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER), a3);
    }
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      a0 = FloatVector.fromMemorySegment(S, dy, from + g, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g, ORDER))
          .fma(FloatVector.fromMemorySegment(S, x, from + g, ORDER), a0);
    }
    float dot = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      dot += dy.get(F, from + 4L * i) * gain.getAtIndex(F, i) * x.get(F, from + 4L * i);
    }
    return dot;
  }

  private static void spread(MemorySegment dy, MemorySegment x, MemorySegment gain, float inverse,
      float share, MemorySegment dx, MemorySegment dGain, long from, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    int i = 0;
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      FloatVector d = FloatVector.fromMemorySegment(S, dy, from + g, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(S, x, from + g, ORDER);
      v.fma(minus, d.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER)))
          .mul(scale)
          .intoMemorySegment(dx, from + g, ORDER);
      v.mul(scale)
          .fma(d, FloatVector.fromMemorySegment(S, dGain, g, ORDER))
          .intoMemorySegment(dGain, g, ORDER);
    }
    for (; i < n; i++) {
      float d = dy.get(F, from + 4L * i);
      float v = x.get(F, from + 4L * i);
      dx.set(F, from + 4L * i, inverse * (d * gain.getAtIndex(F, i) - v * share));
      dGain.setAtIndex(F, i, dGain.getAtIndex(F, i) + d * (v * inverse));
    }
  }

  @Override
  public void layerNorm(MemorySegment dy, MemorySegment x, MemorySegment gain, float mean,
      float inverse, MemorySegment dx, MemorySegment dGain, MemorySegment dBias, int at, int n) {
    sums(dy, x, gain, mean, 4L * at, n);
    float offset = sum / n;
    float share = dot * inverse * inverse / n;
    spread(dy, x, gain, mean, inverse, offset, share, dx, dGain, dBias, 4L * at, n);
  }

  private void sums(MemorySegment dy, MemorySegment x, MemorySegment gain, float mean, long from,
      int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      long g = 4L * i;
      long p = from + g;
      FloatVector g0 = FloatVector.fromMemorySegment(S, dy, p, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g, ORDER));
      FloatVector g1 = FloatVector.fromMemorySegment(S, dy, p + B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g + B, ORDER));
      FloatVector g2 = FloatVector.fromMemorySegment(S, dy, p + 2 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g + 2 * B, ORDER));
      FloatVector g3 = FloatVector.fromMemorySegment(S, dy, p + 3 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g + 3 * B, ORDER));
      a0 = a0.add(g0);
      a1 = a1.add(g1);
      a2 = a2.add(g2);
      a3 = a3.add(g3);
      b0 = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre).fma(g0, b0);
      b1 = FloatVector.fromMemorySegment(S, x, p + B, ORDER).sub(centre).fma(g1, b1);
      b2 = FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER).sub(centre).fma(g2, b2);
      b3 = FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER).sub(centre).fma(g3, b3);
    }
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      FloatVector g0 = FloatVector.fromMemorySegment(S, dy, from + g, ORDER)
          .mul(FloatVector.fromMemorySegment(S, gain, g, ORDER));
      a0 = a0.add(g0);
      b0 = FloatVector.fromMemorySegment(S, x, from + g, ORDER).sub(centre).fma(g0, b0);
    }
    sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    dot = b0.add(b2).add(b1.add(b3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float g = dy.get(F, from + 4L * i) * gain.getAtIndex(F, i);
      sum += g;
      dot += g * (x.get(F, from + 4L * i) - mean);
    }
  }

  private static void spread(MemorySegment dy, MemorySegment x, MemorySegment gain, float mean,
      float inverse, float offset, float share, MemorySegment dx, MemorySegment dGain,
      MemorySegment dBias, long from, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    FloatVector below = FloatVector.broadcast(S, offset);
    int i = 0;
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      FloatVector d = FloatVector.fromMemorySegment(S, dy, from + g, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(S, x, from + g, ORDER).sub(centre);
      v.fma(minus, d.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER)).sub(below))
          .mul(scale)
          .intoMemorySegment(dx, from + g, ORDER);
      v.mul(scale)
          .fma(d, FloatVector.fromMemorySegment(S, dGain, g, ORDER))
          .intoMemorySegment(dGain, g, ORDER);
      FloatVector.fromMemorySegment(S, dBias, g, ORDER).add(d).intoMemorySegment(dBias, g, ORDER);
    }
    for (; i < n; i++) {
      float d = dy.get(F, from + 4L * i);
      float v = x.get(F, from + 4L * i) - mean;
      dx.set(F, from + 4L * i, inverse * (d * gain.getAtIndex(F, i) - offset - v * share));
      dGain.setAtIndex(F, i, dGain.getAtIndex(F, i) + d * (v * inverse));
      dBias.setAtIndex(F, i, dBias.getAtIndex(F, i) + d);
    }
  }
}
