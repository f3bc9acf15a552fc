package dev.panorm.bench.baseline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link VectorGradients} on memory segments, written as {@link VectorSegments} is; but where a row
 * begins spread() computes from an int, which takes 0.85 of the time of one row of 128. (The other
 * loops take 1.15 that way.) One instance serves one thread.
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
  public void rmsNorm(MemorySegment dy, MemorySegment x, MemorySegment gain, float[] inverse,
      MemorySegment dx, MemorySegment dGain, int n) {
    for (int r = 0; r < inverse.length; r++) {
      float dot = r == 0
          ? firstDot(dy, x, gain, inverse[r], dGain, n)
          : dot(dy, x, gain, inverse[r], dGain, 4L * r * n, n);
      spread(dy, x, gain, inverse[r], dot * inverse[r] * inverse[r] / n, dx, r * n, n);
    }
  }

  private static float firstDot(MemorySegment dy, MemorySegment x, MemorySegment gain,
      float inverse, MemorySegment dGain, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      long g = 4L * i;
      FloatVector p0 = FloatVector.fromMemorySegment(S, dy, g, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, g, ORDER));
      FloatVector p1 = FloatVector.fromMemorySegment(S, dy, g + B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, g + B, ORDER));
      FloatVector p2 = FloatVector.fromMemorySegment(S, dy, g + 2 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, g + 2 * B, ORDER));
      FloatVector p3 = FloatVector.fromMemorySegment(S, dy, g + 3 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, g + 3 * B, ORDER));
      a0 = p0.fma(FloatVector.fromMemorySegment(S, gain, g, ORDER), a0);
      a1 = p1.fma(FloatVector.fromMemorySegment(S, gain, g + B, ORDER), a1);
      a2 = p2.fma(FloatVector.fromMemorySegment(S, gain, g + 2 * B, ORDER), a2);
      a3 = p3.fma(FloatVector.fromMemorySegment(S, gain, g + 3 * B, ORDER), a3);
      p0.mul(scale).intoMemorySegment(dGain, g, ORDER);
      p1.mul(scale).intoMemorySegment(dGain, g + B, ORDER);
      p2.mul(scale).intoMemorySegment(dGain, g + 2 * B, ORDER);
      p3.mul(scale).intoMemorySegment(dGain, g + 3 * B, ORDER);
    }
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      FloatVector p0 = FloatVector.fromMemorySegment(S, dy, g, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, g, ORDER));
      a0 = p0.fma(FloatVector.fromMemorySegment(S, gain, g, ORDER), a0);
      p0.mul(scale).intoMemorySegment(dGain, g, ORDER);
    }
    float dot = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float p = dy.getAtIndex(F, i) * x.getAtIndex(F, i);
      dot += p * gain.getAtIndex(F, i);
      dGain.setAtIndex(F, i, p * inverse);
    }
    return dot;
  }

  private static float dot(MemorySegment dy, MemorySegment x, MemorySegment gain, float inverse,
      MemorySegment dGain, long from, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      long g = 4L * i;
      long p = from + g;
      FloatVector p0 = FloatVector.fromMemorySegment(S, dy, p, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, p, ORDER));
      FloatVector p1 = FloatVector.fromMemorySegment(S, dy, p + B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, p + B, ORDER));
      FloatVector p2 = FloatVector.fromMemorySegment(S, dy, p + 2 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER));
      FloatVector p3 = FloatVector.fromMemorySegment(S, dy, p + 3 * B, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER));
      a0 = p0.fma(FloatVector.fromMemorySegment(S, gain, g, ORDER), a0);
      a1 = p1.fma(FloatVector.fromMemorySegment(S, gain, g + B, ORDER), a1);
      a2 = p2.fma(FloatVector.fromMemorySegment(S, gain, g + 2 * B, ORDER), a2);
      a3 = p3.fma(FloatVector.fromMemorySegment(S, gain, g + 3 * B, ORDER), a3);
      p0 = p0.fma(scale, FloatVector.fromMemorySegment(S, dGain, g, ORDER));
      p1 = p1.fma(scale, FloatVector.fromMemorySegment(S, dGain, g + B, ORDER));
      p2 = p2.fma(scale, FloatVector.fromMemorySegment(S, dGain, g + 2 * B, ORDER));
      p3 = p3.fma(scale, FloatVector.fromMemorySegment(S, dGain, g + 3 * B, ORDER));
      p0.intoMemorySegment(dGain, g, ORDER);
      p1.intoMemorySegment(dGain, g + B, ORDER);
      p2.intoMemorySegment(dGain, g + 2 * B, ORDER);
      p3.intoMemorySegment(dGain, g + 3 * B, ORDER);
    }
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      long p = from + g;
      FloatVector p0 = FloatVector.fromMemorySegment(S, dy, p, ORDER)
          .mul(FloatVector.fromMemorySegment(S, x, p, ORDER));
      a0 = p0.fma(FloatVector.fromMemorySegment(S, gain, g, ORDER), a0);
      p0.fma(scale, FloatVector.fromMemorySegment(S, dGain, g, ORDER))
          .intoMemorySegment(dGain, g, ORDER);
    }
    float dot = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float p = dy.get(F, from + 4L * i) * x.get(F, from + 4L * i);
      dot += p * gain.getAtIndex(F, i);
      dGain.setAtIndex(F, i, dGain.getAtIndex(F, i) + p * inverse);
    }
    return dot;
  }

  private static void spread(MemorySegment dy, MemorySegment x, MemorySegment gain, float inverse,
      float share, MemorySegment dx, int at, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    int i = 0;
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      long p = 4L * (at + i);
      FloatVector d = FloatVector.fromMemorySegment(S, dy, p, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(S, x, p, ORDER);
      v.fma(minus, d.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER)))
          .mul(scale)
          .intoMemorySegment(dx, p, ORDER);
    }
    for (; i < n; i++) {
      long p = 4L * (at + i);
      dx.set(F, p, inverse * (dy.get(F, p) * gain.getAtIndex(F, i) - x.get(F, p) * share));
    }
  }

  @Override
  public void layerNorm(MemorySegment dy, MemorySegment x, MemorySegment gain, float[] mean,
      float[] inverse, MemorySegment dx, MemorySegment dGain, MemorySegment dBias, int n) {
    for (int r = 0; r < inverse.length; r++) {
      if (r == 0) {
        firstSums(dy, x, gain, mean[r], inverse[r], dGain, dBias, n);
      } else {
        sums(dy, x, gain, mean[r], inverse[r], dGain, dBias, 4L * r * n, n);
      }
      float share = dot * inverse[r] * inverse[r] / n;
      spread(dy, x, gain, mean[r], inverse[r], sum / n, share, dx, r * n, n);
    }
  }

  private void firstSums(MemorySegment dy, MemorySegment x, MemorySegment gain, float mean,
      float inverse, MemorySegment dGain, MemorySegment dBias, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, b0 = a0, b1 = a0;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      long g = 4L * i;
      FloatVector d0 = FloatVector.fromMemorySegment(S, dy, g, ORDER);
      FloatVector d1 = FloatVector.fromMemorySegment(S, dy, g + B, ORDER);
      FloatVector v0 = FloatVector.fromMemorySegment(S, x, g, ORDER).sub(centre);
      FloatVector v1 = FloatVector.fromMemorySegment(S, x, g + B, ORDER).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER));
      FloatVector g1 = d1.mul(FloatVector.fromMemorySegment(S, gain, g + B, ORDER));
      a0 = a0.add(g0);
      a1 = a1.add(g1);
      b0 = v0.fma(g0, b0);
      b1 = v1.fma(g1, b1);
      v0 = v0.mul(scale);
      v1 = v1.mul(scale);
      v0.mul(d0).intoMemorySegment(dGain, g, ORDER);
      v1.mul(d1).intoMemorySegment(dGain, g + B, ORDER);
      d0.intoMemorySegment(dBias, g, ORDER);
      d1.intoMemorySegment(dBias, g + B, ORDER);
    }
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      FloatVector d0 = FloatVector.fromMemorySegment(S, dy, g, ORDER);
      FloatVector v0 = FloatVector.fromMemorySegment(S, x, g, ORDER).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER));
      a0 = a0.add(g0);
      b0 = v0.fma(g0, b0);
      v0 = v0.mul(scale);
      v0.mul(d0).intoMemorySegment(dGain, g, ORDER);
      d0.intoMemorySegment(dBias, g, ORDER);
    }
    sum = a0.add(a1).reduceLanes(VectorOperators.ADD);
    dot = b0.add(b1).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float d = dy.getAtIndex(F, i);
      float v = x.getAtIndex(F, i) - mean;
      sum += d * gain.getAtIndex(F, i);
      dot += d * gain.getAtIndex(F, i) * v;
      dGain.setAtIndex(F, i, d * (v * inverse));
      dBias.setAtIndex(F, i, d);
    }
  }

  private void sums(MemorySegment dy, MemorySegment x, MemorySegment gain, float mean,
      float inverse, MemorySegment dGain, MemorySegment dBias, long from, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, b0 = a0, b1 = a0;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      long g = 4L * i;
      long p = from + g;
      FloatVector d0 = FloatVector.fromMemorySegment(S, dy, p, ORDER);
      FloatVector d1 = FloatVector.fromMemorySegment(S, dy, p + B, ORDER);
      FloatVector v0 = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre);
      FloatVector v1 = FloatVector.fromMemorySegment(S, x, p + B, ORDER).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER));
      FloatVector g1 = d1.mul(FloatVector.fromMemorySegment(S, gain, g + B, ORDER));
      a0 = a0.add(g0);
      a1 = a1.add(g1);
      b0 = v0.fma(g0, b0);
      b1 = v1.fma(g1, b1);
      v0 = v0.mul(scale);
      v1 = v1.mul(scale);
      v0.fma(d0, FloatVector.fromMemorySegment(S, dGain, g, ORDER))
          .intoMemorySegment(dGain, g, ORDER);
      v1.fma(d1, FloatVector.fromMemorySegment(S, dGain, g + B, ORDER))
          .intoMemorySegment(dGain, g + B, ORDER);
      FloatVector.fromMemorySegment(S, dBias, g, ORDER).add(d0).intoMemorySegment(dBias, g, ORDER);
      FloatVector.fromMemorySegment(S, dBias, g + B, ORDER)
          .add(d1)
          .intoMemorySegment(dBias, g + B, ORDER);
    }
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      long p = from + g;
      FloatVector d0 = FloatVector.fromMemorySegment(S, dy, p, ORDER);
      FloatVector v0 = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER));
      a0 = a0.add(g0);
      b0 = v0.fma(g0, b0);
      v0 = v0.mul(scale);
      v0.fma(d0, FloatVector.fromMemorySegment(S, dGain, g, ORDER))
          .intoMemorySegment(dGain, g, ORDER);
      FloatVector.fromMemorySegment(S, dBias, g, ORDER).add(d0).intoMemorySegment(dBias, g, ORDER);
    }
    sum = a0.add(a1).reduceLanes(VectorOperators.ADD);
    dot = b0.add(b1).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float d = dy.get(F, from + 4L * i);
      float v = x.get(F, from + 4L * i) - mean;
      sum += d * gain.getAtIndex(F, i);
      dot += d * gain.getAtIndex(F, i) * v;
      dGain.setAtIndex(F, i, dGain.getAtIndex(F, i) + d * (v * inverse));
      dBias.setAtIndex(F, i, dBias.getAtIndex(F, i) + d);
    }
  }

  private static void spread(MemorySegment dy, MemorySegment x, MemorySegment gain, float mean,
      float inverse, float offset, float share, MemorySegment dx, int at, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    FloatVector below = FloatVector.broadcast(S, offset);
    int i = 0;
    for (; i <= n - L; i += L) {
      long g = 4L * i;
      long p = 4L * (at + i);
      FloatVector d = FloatVector.fromMemorySegment(S, dy, p, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre);
      v.fma(minus, d.mul(FloatVector.fromMemorySegment(S, gain, g, ORDER)).sub(below))
          .mul(scale)
          .intoMemorySegment(dx, p, ORDER);
    }
    for (; i < n; i++) {
      float g = dy.get(F, 4L * (at + i)) * gain.getAtIndex(F, i);
      float v = x.get(F, 4L * (at + i)) - mean;
      dx.set(F, 4L * (at + i), inverse * (g - offset - v * share));
    }
  }
}
