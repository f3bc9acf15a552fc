package dev.panorm.bench.baseline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The best Vector API version on memory segments. What makes it fast, each by measurement: every
 * loop in a method of its own, an {@code int} counter of elements, eight accumulators for the sums,
 * and no unrolling by hand where something is stored.
 *
 * <p>It is easily spoiled. The same statements with both loops in one method, or with a {@code
 * long} counter of bytes, take five to seven times as long, since the accumulators then become
 * objects. A segment over all memory with raw addresses is no faster than the segments themselves,
 * nor is copying a row through an array.
 */
public final class VectorSegments implements Norms<MemorySegment> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final long B = S.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private static FloatVector at(MemorySegment s, long offset) {
    return FloatVector.fromMemorySegment(S, s, offset, ORDER);
  }

  private static MemorySegment row(MemorySegment s, int at, int n) {
    return s.asSlice(4L * at, 4L * n);
  }

  private static float inverse(float sum, int n, float epsilon) {
    return (float) (1 / Math.sqrt(sum / n + epsilon));
  }

  @Override
  public void rmsNorm(MemorySegment x, MemorySegment gain, MemorySegment y, int at, int n, int span,
      float epsilon) {
    MemorySegment row = row(x, at, n);
    scale(row, gain, row(y, at, n), n, inverse(squares(row, span), span, epsilon));
  }

  @Override
  public void addRmsNorm(MemorySegment x, MemorySegment residual, MemorySegment gain,
      MemorySegment y, int at, int n, float epsilon) {
    MemorySegment row = row(residual, at, n);
    float sum = addSquares(row(x, at, n), row, n);
    scale(row, gain, row(y, at, n), n, inverse(sum, n, epsilon));
  }

  @Override
  public void layerNorm(MemorySegment x, MemorySegment gain, MemorySegment bias, MemorySegment y,
      int at, int n, float epsilon) {
    MemorySegment row = row(x, at, n);
    float mean = sum(row, n) / n;
    float inverse = inverse(centredSquares(row, n, mean), n, epsilon);
    affine(row, gain, bias, row(y, at, n), n, mean, inverse);
  }

  private static float squares(MemorySegment x, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int i = 0;
    for (; i <= n - 8 * L; i += 8 * L) {
      long p = 4L * i;
      FloatVector x0 = at(x, p);
      FloatVector x1 = at(x, p + B);
      FloatVector x2 = at(x, p + 2 * B);
      FloatVector x3 = at(x, p + 3 * B);
      FloatVector x4 = at(x, p + 4 * B);
      FloatVector x5 = at(x, p + 5 * B);
      FloatVector x6 = at(x, p + 6 * B);
      FloatVector x7 = at(x, p + 7 * B);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
      a4 = x4.fma(x4, a4);
      a5 = x5.fma(x5, a5);
      a6 = x6.fma(x6, a6);
      a7 = x7.fma(x7, a7);
    }
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector x0 = at(x, p);
      a0 = x0.fma(x0, a0);
    }
    float sum = fold(a0.add(a4), a1.add(a5), a2.add(a6), a3.add(a7));
    for (; i < n; i++) {
      float xi = x.getAtIndex(F, i);
      sum += xi * xi;
    }
    return sum;
  }

  private static float fold(FloatVector a0, FloatVector a1, FloatVector a2, FloatVector a3) {
    return a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
  }

  private static float sum(MemorySegment x, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int i = 0;
    for (; i <= n - 8 * L; i += 8 * L) {
      long p = 4L * i;
      a0 = a0.add(at(x, p));
      a1 = a1.add(at(x, p + B));
      a2 = a2.add(at(x, p + 2 * B));
      a3 = a3.add(at(x, p + 3 * B));
      a4 = a4.add(at(x, p + 4 * B));
      a5 = a5.add(at(x, p + 5 * B));
      a6 = a6.add(at(x, p + 6 * B));
      a7 = a7.add(at(x, p + 7 * B));
    }
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      a0 = a0.add(at(x, p));
    }
    float sum = fold(a0.add(a4), a1.add(a5), a2.add(a6), a3.add(a7));
    for (; i < n; i++) {
      sum += x.getAtIndex(F, i);
    }
    return sum;
  }

  private static float centredSquares(MemorySegment x, int n, float mean) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int i = 0;
    for (; i <= n - 8 * L; i += 8 * L) {
      long p = 4L * i;
      FloatVector x0 = at(x, p).sub(centre);
      FloatVector x1 = at(x, p + B).sub(centre);
      FloatVector x2 = at(x, p + 2 * B).sub(centre);
      FloatVector x3 = at(x, p + 3 * B).sub(centre);
      FloatVector x4 = at(x, p + 4 * B).sub(centre);
      FloatVector x5 = at(x, p + 5 * B).sub(centre);
      FloatVector x6 = at(x, p + 6 * B).sub(centre);
      FloatVector x7 = at(x, p + 7 * B).sub(centre);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
      a4 = x4.fma(x4, a4);
      a5 = x5.fma(x5, a5);
      a6 = x6.fma(x6, a6);
      a7 = x7.fma(x7, a7);
    }
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector x0 = at(x, p).sub(centre);
      a0 = x0.fma(x0, a0);
    }
    float sum = fold(a0.add(a4), a1.add(a5), a2.add(a6), a3.add(a7));
    for (; i < n; i++) {
      float xi = x.getAtIndex(F, i) - mean;
      sum += xi * xi;
    }
    return sum;
  }

  private static void scale(MemorySegment x, MemorySegment gain, MemorySegment y, int n,
      float inverse) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      at(x, p).mul(scale).mul(at(gain, p)).intoMemorySegment(y, p, ORDER);
    }
    for (; i < n; i++) {
      y.setAtIndex(F, i, x.getAtIndex(F, i) * inverse * gain.getAtIndex(F, i));
    }
  }

  private static void affine(MemorySegment x, MemorySegment gain, MemorySegment bias,
      MemorySegment y, int n, float mean, float inverse) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector t = at(x, p).sub(centre).mul(scale);
      t.fma(at(gain, p), at(bias, p)).intoMemorySegment(y, p, ORDER);
    }
    for (; i < n; i++) {
      float t = (x.getAtIndex(F, i) - mean) * inverse;
      y.setAtIndex(F, i, t * gain.getAtIndex(F, i) + bias.getAtIndex(F, i));
    }
  }

  /** residual += x, and the sum of the squares of what comes out. */
  private static float addSquares(MemorySegment x, MemorySegment residual, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      long p = 4L * i;
      FloatVector r0 = at(residual, p).add(at(x, p));
      FloatVector r1 = at(residual, p + B).add(at(x, p + B));
      FloatVector r2 = at(residual, p + 2 * B).add(at(x, p + 2 * B));
      FloatVector r3 = at(residual, p + 3 * B).add(at(x, p + 3 * B));
      r0.intoMemorySegment(residual, p, ORDER);
      r1.intoMemorySegment(residual, p + B, ORDER);
      r2.intoMemorySegment(residual, p + 2 * B, ORDER);
      r3.intoMemorySegment(residual, p + 3 * B, ORDER);
      a0 = r0.fma(r0, a0);
      a1 = r1.fma(r1, a1);
      a2 = r2.fma(r2, a2);
      a3 = r3.fma(r3, a3);
    }
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector r0 = at(residual, p).add(at(x, p));
      r0.intoMemorySegment(residual, p, ORDER);
      a0 = r0.fma(r0, a0);
    }
    float sum = fold(a0, a1, a2, a3);
    for (; i < n; i++) {
      float r = residual.getAtIndex(F, i) + x.getAtIndex(F, i);
      residual.setAtIndex(F, i, r);
      sum += r * r;
    }
    return sum;
  }

  /** residual += x, of n elements. */
  public static void add(MemorySegment x, MemorySegment residual, int n) {
    int i = 0;
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      at(residual, p).add(at(x, p)).intoMemorySegment(residual, p, ORDER);
    }
    for (; i < n; i++) {
      residual.setAtIndex(F, i, residual.getAtIndex(F, i) + x.getAtIndex(F, i));
    }
  }
}
