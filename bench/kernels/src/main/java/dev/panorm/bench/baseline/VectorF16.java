package dev.panorm.bench.baseline;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * IEEE binary16. The Vector API of JDK 25 cannot convert it, but sums do without: two elements are
 * taken as one int, as in {@link VectorBf16}, a shift and a mask put the bits of each where a float
 * has them, and a product with 2^112 makes up for the other bias of the exponent, of subnormal
 * numbers too; infinities and NaNs are taken for large numbers there. Of a plain loop that scales
 * the compiler makes vectors, with the processor's own conversions, if no array is both read and
 * written and all begin at the same element: a row that begins elsewhere is brought to 0 and back.
 * One instance serves one thread.
 */
public final class VectorF16 implements Norms<short[]> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> H = ShortVector.SPECIES_PREFERRED;
  private static final int W = H.length();

  /** The bits of an element in a float, with its sign and without. */
  private static final int BITS = 0x8fffe000;
  private static final int MAGNITUDE = 0x0fffe000;

  private static final float BIAS = 0x1p112f;

  private short[] row = {};
  private short[] result = {};

  private void take(short[] x, int at, int n) {
    if (row.length < n) {
      row = new short[n];
      result = new short[n];
    }
    System.arraycopy(x, at, row, 0, n);
  }

  @Override
  public void rmsNorm(short[] x, short[] gain, short[] y, int at, int n, int span, float epsilon) {
    float inverse = Norms.inverse(squares(x, at, span), span, epsilon);
    if (at == 0) {
      scale(x, gain, y, n, inverse);
    } else {
      take(x, at, n);
      scale(row, gain, result, n, inverse);
      System.arraycopy(result, 0, y, at, n);
    }
  }

  private static float squares(short[] x, int at, int n) {
    FloatVector bias = FloatVector.broadcast(S, BIAS);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector x1 = ShortVector.fromArray(H, x, i + W).reinterpretAsInts();
      FloatVector v0 = x0.lanewise(VectorOperators.LSHL, 13)
          .and(MAGNITUDE)
          .reinterpretAsFloats()
          .mul(bias);
      FloatVector v1 = x0.lanewise(VectorOperators.LSHR, 3)
          .and(MAGNITUDE)
          .reinterpretAsFloats()
          .mul(bias);
      FloatVector v2 = x1.lanewise(VectorOperators.LSHL, 13)
          .and(MAGNITUDE)
          .reinterpretAsFloats()
          .mul(bias);
      FloatVector v3 = x1.lanewise(VectorOperators.LSHR, 3)
          .and(MAGNITUDE)
          .reinterpretAsFloats()
          .mul(bias);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      FloatVector v0 = x0.lanewise(VectorOperators.LSHL, 13)
          .and(MAGNITUDE)
          .reinterpretAsFloats()
          .mul(bias);
      FloatVector v1 = x0.lanewise(VectorOperators.LSHR, 3)
          .and(MAGNITUDE)
          .reinterpretAsFloats()
          .mul(bias);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      float v = Float.float16ToFloat(x[i]);
      sum += v * v;
    }
    return sum;
  }

  private static void scale(short[] x, short[] gain, short[] y, int n, float inverse) {
    for (int i = 0; i < n; i++) {
      y[i] = Float
          .floatToFloat16(Float.float16ToFloat(x[i]) * inverse * Float.float16ToFloat(gain[i]));
    }
  }

  @Override
  public void addRmsNorm(short[] x, short[] residual, short[] gain, short[] y, int at, int n,
      float epsilon) {
    add(x, residual, at, n);
    rmsNorm(residual, gain, y, at, n, n, epsilon);
  }

  private static void add(short[] x, short[] residual, int at, int n) {
    for (int i = 0; i < n; i++) {
      residual[at + i] = Float
          .floatToFloat16(Float.float16ToFloat(residual[at + i]) + Float.float16ToFloat(x[at + i]));
    }
  }

  @Override
  public void layerNorm(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float epsilon) {
    float mean = sum(x, at, n) / n;
    float inverse = Norms.inverse(centredSquares(x, at, n, mean), n, epsilon);
    if (at == 0) {
      affine(x, gain, bias, y, n, mean, inverse);
    } else {
      take(x, at, n);
      affine(row, gain, bias, result, n, mean, inverse);
      System.arraycopy(result, 0, y, at, n);
    }
  }

  private static float sum(short[] x, int at, int n) {
    FloatVector bias = FloatVector.broadcast(S, BIAS);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector x1 = ShortVector.fromArray(H, x, i + W).reinterpretAsInts();
      IntVector y0 = x0.lanewise(VectorOperators.LSHL, 16);
      IntVector y1 = x1.lanewise(VectorOperators.LSHL, 16);
      a0 = y0.lanewise(VectorOperators.ASHR, 3).and(BITS).reinterpretAsFloats().fma(bias, a0);
      a1 = x0.lanewise(VectorOperators.ASHR, 3).and(BITS).reinterpretAsFloats().fma(bias, a1);
      a2 = y1.lanewise(VectorOperators.ASHR, 3).and(BITS).reinterpretAsFloats().fma(bias, a2);
      a3 = x1.lanewise(VectorOperators.ASHR, 3).and(BITS).reinterpretAsFloats().fma(bias, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector y0 = x0.lanewise(VectorOperators.LSHL, 16);
      a0 = y0.lanewise(VectorOperators.ASHR, 3).and(BITS).reinterpretAsFloats().fma(bias, a0);
      a1 = x0.lanewise(VectorOperators.ASHR, 3).and(BITS).reinterpretAsFloats().fma(bias, a1);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      sum += Float.float16ToFloat(x[i]);
    }
    return sum;
  }

  private static float centredSquares(short[] x, int at, int n, float mean) {
    FloatVector bias = FloatVector.broadcast(S, BIAS);
    FloatVector minus = FloatVector.broadcast(S, -mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector x1 = ShortVector.fromArray(H, x, i + W).reinterpretAsInts();
      IntVector y0 = x0.lanewise(VectorOperators.LSHL, 16);
      IntVector y1 = x1.lanewise(VectorOperators.LSHL, 16);
      FloatVector v0 = y0.lanewise(VectorOperators.ASHR, 3)
          .and(BITS)
          .reinterpretAsFloats()
          .fma(bias, minus);
      FloatVector v1 = x0.lanewise(VectorOperators.ASHR, 3)
          .and(BITS)
          .reinterpretAsFloats()
          .fma(bias, minus);
      FloatVector v2 = y1.lanewise(VectorOperators.ASHR, 3)
          .and(BITS)
          .reinterpretAsFloats()
          .fma(bias, minus);
      FloatVector v3 = x1.lanewise(VectorOperators.ASHR, 3)
          .and(BITS)
          .reinterpretAsFloats()
          .fma(bias, minus);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector y0 = x0.lanewise(VectorOperators.LSHL, 16);
      FloatVector v0 = y0.lanewise(VectorOperators.ASHR, 3)
          .and(BITS)
          .reinterpretAsFloats()
          .fma(bias, minus);
      FloatVector v1 = x0.lanewise(VectorOperators.ASHR, 3)
          .and(BITS)
          .reinterpretAsFloats()
          .fma(bias, minus);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      float v = Float.float16ToFloat(x[i]) - mean;
      sum += v * v;
    }
    return sum;
  }

  private static void affine(short[] x, short[] gain, short[] bias, short[] y, int n, float mean,
      float inverse) {
    for (int i = 0; i < n; i++) {
      y[i] = Float.floatToFloat16(
          (Float.float16ToFloat(x[i]) - mean) * inverse * Float.float16ToFloat(gain[i])
              + Float.float16ToFloat(bias[i]));
    }
  }
}
