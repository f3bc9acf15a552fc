package dev.panorm.bench.baseline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The best Vector API version on memory segments. What makes it fast, each by measurement: every
 * loop in a method of its own that calls nothing but the Vector API, as in {@link VectorArrays}, an
 * {@code int} counter of elements, eight accumulators for the sums, four for their rest, no
 * unrolling by hand where nothing is summed, and no slice of a segment for each row.
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

  @Override
  public void rmsNorm(MemorySegment x, MemorySegment gain, MemorySegment y, int at, int n, int span,
      float epsilon) {
    scale(x, gain, y, 4L * at, n, Norms.inverse(squares(x, 4L * at, span), span, epsilon));
  }

  @Override
  public void addRmsNorm(MemorySegment x, MemorySegment residual, MemorySegment gain,
      MemorySegment y, int at, int n, float epsilon) {
    float sum = addSquares(x, residual, 4L * at, n);
    scale(residual, gain, y, 4L * at, n, Norms.inverse(sum, n, epsilon));
  }

  @Override
  public void layerNorm(MemorySegment x, MemorySegment gain, MemorySegment bias, MemorySegment y,
      int at, int n, float epsilon) {
    float mean = sum(x, 4L * at, n) / n;
    float inverse = Norms.inverse(centredSquares(x, 4L * at, n, mean), n, epsilon);
    affine(x, gain, bias, y, 4L * at, n, mean, inverse);
  }

  private static float squares(MemorySegment x, long from, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int i = 0;
    for (; i <= n - 8 * L; i += 8 * L) {
      long p = from + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(S, x, p, ORDER);
      FloatVector x1 = FloatVector.fromMemorySegment(S, x, p + B, ORDER);
      FloatVector x2 = FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER);
      FloatVector x3 = FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER);
      FloatVector x4 = FloatVector.fromMemorySegment(S, x, p + 4 * B, ORDER);
      FloatVector x5 = FloatVector.fromMemorySegment(S, x, p + 5 * B, ORDER);
      FloatVector x6 = FloatVector.fromMemorySegment(S, x, p + 6 * B, ORDER);
      FloatVector x7 = FloatVector.fromMemorySegment(S, x, p + 7 * B, ORDER);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
      a4 = x4.fma(x4, a4);
      a5 = x5.fma(x5, a5);
      a6 = x6.fma(x6, a6);
      a7 = x7.fma(x7, a7);
    }
    a0 = a0.add(a4);
    a1 = a1.add(a5);
    a2 = a2.add(a6);
    a3 = a3.add(a7);
    for (; i <= n - 4 * L; i += 4 * L) {
      long p = from + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(S, x, p, ORDER);
      FloatVector x1 = FloatVector.fromMemorySegment(S, x, p + B, ORDER);
      FloatVector x2 = FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER);
      FloatVector x3 = FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
    }
    for (; i <= n - L; i += L) {
      long p = from + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(S, x, p, ORDER);
      a0 = x0.fma(x0, a0);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float xi = x.get(F, from + 4L * i);
      sum += xi * xi;
    }
    return sum;
  }

  static float sum(MemorySegment x, long from, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int i = 0;
    for (; i <= n - 8 * L; i += 8 * L) {
      long p = from + 4L * i;
      a0 = a0.add(FloatVector.fromMemorySegment(S, x, p, ORDER));
      a1 = a1.add(FloatVector.fromMemorySegment(S, x, p + B, ORDER));
      a2 = a2.add(FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER));
      a3 = a3.add(FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER));
      a4 = a4.add(FloatVector.fromMemorySegment(S, x, p + 4 * B, ORDER));
      a5 = a5.add(FloatVector.fromMemorySegment(S, x, p + 5 * B, ORDER));
      a6 = a6.add(FloatVector.fromMemorySegment(S, x, p + 6 * B, ORDER));
      a7 = a7.add(FloatVector.fromMemorySegment(S, x, p + 7 * B, ORDER));
    }
    a0 = a0.add(a4);
    a1 = a1.add(a5);
    a2 = a2.add(a6);
    a3 = a3.add(a7);
    for (; i <= n - 4 * L; i += 4 * L) {
      long p = from + 4L * i;
      a0 = a0.add(FloatVector.fromMemorySegment(S, x, p, ORDER));
      a1 = a1.add(FloatVector.fromMemorySegment(S, x, p + B, ORDER));
      a2 = a2.add(FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER));
      a3 = a3.add(FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER));
    }
    for (; i <= n - L; i += L) {
      long p = from + 4L * i;
      a0 = a0.add(FloatVector.fromMemorySegment(S, x, p, ORDER));
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      sum += x.get(F, from + 4L * i);
    }
    return sum;
  }

  private static float centredSquares(MemorySegment x, long from, int n, float mean) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int i = 0;
    for (; i <= n - 8 * L; i += 8 * L) {
      long p = from + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre);
      FloatVector x1 = FloatVector.fromMemorySegment(S, x, p + B, ORDER).sub(centre);
      FloatVector x2 = FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER).sub(centre);
      FloatVector x3 = FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER).sub(centre);
      FloatVector x4 = FloatVector.fromMemorySegment(S, x, p + 4 * B, ORDER).sub(centre);
      FloatVector x5 = FloatVector.fromMemorySegment(S, x, p + 5 * B, ORDER).sub(centre);
      FloatVector x6 = FloatVector.fromMemorySegment(S, x, p + 6 * B, ORDER).sub(centre);
      FloatVector x7 = FloatVector.fromMemorySegment(S, x, p + 7 * B, ORDER).sub(centre);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
      a4 = x4.fma(x4, a4);
      a5 = x5.fma(x5, a5);
      a6 = x6.fma(x6, a6);
      a7 = x7.fma(x7, a7);
    }
    a0 = a0.add(a4);
    a1 = a1.add(a5);
    a2 = a2.add(a6);
    a3 = a3.add(a7);
    for (; i <= n - 4 * L; i += 4 * L) {
      long p = from + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre);
      FloatVector x1 = FloatVector.fromMemorySegment(S, x, p + B, ORDER).sub(centre);
      FloatVector x2 = FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER).sub(centre);
      FloatVector x3 = FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER).sub(centre);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
    }
    for (; i <= n - L; i += L) {
      long p = from + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(S, x, p, ORDER).sub(centre);
      a0 = x0.fma(x0, a0);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float xi = x.get(F, from + 4L * i) - mean;
      sum += xi * xi;
    }
    return sum;
  }

  private static void scale(MemorySegment x, MemorySegment gain, MemorySegment y, long from, int n,
      float inverse) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector.fromMemorySegment(S, x, from + p, ORDER)
          .mul(scale)
          .mul(FloatVector.fromMemorySegment(S, gain, p, ORDER))
          .intoMemorySegment(y, from + p, ORDER);
    }
    for (; i < n; i++) {
      y.set(F, from + 4L * i, x.get(F, from + 4L * i) * inverse * gain.getAtIndex(F, i));
    }
  }

  private static void affine(MemorySegment x, MemorySegment gain, MemorySegment bias,
      MemorySegment y, long from, int n, float mean, float inverse) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector t = FloatVector.fromMemorySegment(S, x, from + p, ORDER).sub(centre).mul(scale);
      t.fma(FloatVector.fromMemorySegment(S, gain, p, ORDER),
          FloatVector.fromMemorySegment(S, bias, p, ORDER)).intoMemorySegment(y, from + p, ORDER);
    }
    for (; i < n; i++) {
      float t = (x.get(F, from + 4L * i) - mean) * inverse;
      y.set(F, from + 4L * i, t * gain.getAtIndex(F, i) + bias.getAtIndex(F, i));
    }
  }

  /** residual += x, and the sum of the squares of what comes out. */
  private static float addSquares(MemorySegment x, MemorySegment residual, long from, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      long p = from + 4L * i;
      FloatVector r0 = FloatVector.fromMemorySegment(S, residual, p, ORDER)
          .add(FloatVector.fromMemorySegment(S, x, p, ORDER));
      FloatVector r1 = FloatVector.fromMemorySegment(S, residual, p + B, ORDER)
          .add(FloatVector.fromMemorySegment(S, x, p + B, ORDER));
      FloatVector r2 = FloatVector.fromMemorySegment(S, residual, p + 2 * B, ORDER)
          .add(FloatVector.fromMemorySegment(S, x, p + 2 * B, ORDER));
      FloatVector r3 = FloatVector.fromMemorySegment(S, residual, p + 3 * B, ORDER)
          .add(FloatVector.fromMemorySegment(S, x, p + 3 * B, ORDER));
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
      long p = from + 4L * i;
      FloatVector r0 = FloatVector.fromMemorySegment(S, residual, p, ORDER)
          .add(FloatVector.fromMemorySegment(S, x, p, ORDER));
      r0.intoMemorySegment(residual, p, ORDER);
      a0 = r0.fma(r0, a0);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float r = residual.get(F, from + 4L * i) + x.get(F, from + 4L * i);
      residual.set(F, from + 4L * i, r);
      sum += r * r;
    }
    return sum;
  }

  /** residual += x, of n elements. */
  public static void add(MemorySegment x, MemorySegment residual, int n) {
    int i = 0;
    for (; i <= n - L; i += L) {
      long p = 4L * i;
      FloatVector.fromMemorySegment(S, residual, p, ORDER)
          .add(FloatVector.fromMemorySegment(S, x, p, ORDER))
          .intoMemorySegment(residual, p, ORDER);
    }
    for (; i < n; i++) {
      residual.setAtIndex(F, i, residual.getAtIndex(F, i) + x.getAtIndex(F, i));
    }
  }
}
