package dev.panorm.bench.baseline;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * bfloat16 by the Vector API on {@code short[]}. Two elements are taken as one int: a shift makes a
 * float of one, a mask of the other, and both go along as two vectors, so nothing is ever permuted.
 * Every loop is in a method of its own and calls nothing but the Vector API, as in {@link
 * VectorArrays}; unrolling the loop that scales makes it too long to be inlined as a whole. Finite
 * numbers and a little-endian machine only.
 *
 * <p>On a segment over the same array this is twenty times slower in JDK 25: ints are not loaded
 * from a {@code short[]} by one instruction then.
 */
public final class VectorBf16 implements Norms<short[]> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> H = ShortVector.SPECIES_PREFERRED;
  private static final int W = H.length();

  private static final int UPPER = 0xffff0000;

  private static float get(short[] s, int i) {
    return Float.intBitsToFloat(s[i] << 16);
  }

  private static void set(short[] s, int i, float value) {
    int bits = Float.floatToRawIntBits(value);
    s[i] = (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  @Override
  public void rmsNorm(short[] x, short[] gain, short[] y, int at, int n, int span, float epsilon) {
    scale(x, gain, y, at, n, Norms.inverse(squares(x, at, span), span, epsilon));
  }

  @Override
  public void addRmsNorm(short[] x, short[] residual, short[] gain, short[] y, int at, int n,
      float epsilon) {
    scale(residual, gain, y, at, n, Norms.inverse(addSquares(x, residual, at, n), n, epsilon));
  }

  @Override
  public void layerNorm(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float epsilon) {
    float mean = sum(x, at, n) / n;
    float inverse = Norms.inverse(centredSquares(x, at, n, mean), n, epsilon);
    affine(x, gain, bias, y, at, n, mean, inverse);
  }

  private static float squares(short[] x, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector x1 = ShortVector.fromArray(H, x, i + W).reinterpretAsInts();
      FloatVector v0 = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector v1 = x0.and(UPPER).reinterpretAsFloats();
      FloatVector v2 = x1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector v3 = x1.and(UPPER).reinterpretAsFloats();
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      FloatVector v0 = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector v1 = x0.and(UPPER).reinterpretAsFloats();
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      sum += get(x, i) * get(x, i);
    }
    return sum;
  }

  private static float sum(short[] x, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector x1 = ShortVector.fromArray(H, x, i + W).reinterpretAsInts();
      a0 = a0.add(x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats());
      a1 = a1.add(x0.and(UPPER).reinterpretAsFloats());
      a2 = a2.add(x1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats());
      a3 = a3.add(x1.and(UPPER).reinterpretAsFloats());
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      a0 = a0.add(x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats());
      a1 = a1.add(x0.and(UPPER).reinterpretAsFloats());
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      sum += get(x, i);
    }
    return sum;
  }

  private static float centredSquares(short[] x, int at, int n, float mean) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector x1 = ShortVector.fromArray(H, x, i + W).reinterpretAsInts();
      FloatVector v0 = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(centre);
      FloatVector v1 = x0.and(UPPER).reinterpretAsFloats().sub(centre);
      FloatVector v2 = x1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(centre);
      FloatVector v3 = x1.and(UPPER).reinterpretAsFloats().sub(centre);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      FloatVector v0 = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(centre);
      FloatVector v1 = x0.and(UPPER).reinterpretAsFloats().sub(centre);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      float v = get(x, i) - mean;
      sum += v * v;
    }
    return sum;
  }

  /** residual += x, and the sum of the squares of what comes out. */
  private static float addSquares(short[] x, short[] residual, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, i).reinterpretAsInts();
      IntVector r0 = ShortVector.fromArray(H, residual, i).reinterpretAsInts();
      FloatVector xe = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector xo = x0.and(UPPER).reinterpretAsFloats();
      FloatVector re = r0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector ro = r0.and(UPPER).reinterpretAsFloats();
      IntVector e = re.add(xe).reinterpretAsInts();
      IntVector o = ro.add(xo).reinterpretAsInts();
      e = e.add(e.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o = o.add(o.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      r0 = e.lanewise(VectorOperators.LSHR, 16).or(o.and(UPPER));
      r0.reinterpretAsShorts().intoArray(residual, i);
      FloatVector v0 = r0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector v1 = r0.and(UPPER).reinterpretAsFloats();
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = a0.add(a1).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      set(residual, i, get(residual, i) + get(x, i));
      sum += get(residual, i) * get(residual, i);
    }
    return sum;
  }

  private static void scale(short[] x, short[] gain, short[] y, int at, int n, float inverse) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, at + i).reinterpretAsInts();
      IntVector g0 = ShortVector.fromArray(H, gain, i).reinterpretAsInts();
      FloatVector xe = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector xo = x0.and(UPPER).reinterpretAsFloats();
      FloatVector ge = g0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector go = g0.and(UPPER).reinterpretAsFloats();
      IntVector e = xe.mul(scale).mul(ge).reinterpretAsInts();
      IntVector o = xo.mul(scale).mul(go).reinterpretAsInts();
      e = e.add(e.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o = o.add(o.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      IntVector y0 = e.lanewise(VectorOperators.LSHR, 16).or(o.and(UPPER));
      y0.reinterpretAsShorts().intoArray(y, at + i);
    }
    for (; i < n; i++) {
      set(y, at + i, get(x, at + i) * inverse * get(gain, i));
    }
  }

  private static void affine(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float mean, float inverse) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - W; i += W) {
      IntVector x0 = ShortVector.fromArray(H, x, at + i).reinterpretAsInts();
      IntVector g0 = ShortVector.fromArray(H, gain, i).reinterpretAsInts();
      IntVector b0 = ShortVector.fromArray(H, bias, i).reinterpretAsInts();
      FloatVector xe = x0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector xo = x0.and(UPPER).reinterpretAsFloats();
      FloatVector ge = g0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector go = g0.and(UPPER).reinterpretAsFloats();
      FloatVector be = b0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector bo = b0.and(UPPER).reinterpretAsFloats();
      IntVector e = xe.sub(centre).mul(scale).fma(ge, be).reinterpretAsInts();
      IntVector o = xo.sub(centre).mul(scale).fma(go, bo).reinterpretAsInts();
      e = e.add(e.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o = o.add(o.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      IntVector y0 = e.lanewise(VectorOperators.LSHR, 16).or(o.and(UPPER));
      y0.reinterpretAsShorts().intoArray(y, at + i);
    }
    for (; i < n; i++) {
      set(y, at + i, (get(x, at + i) - mean) * inverse * get(gain, i) + get(bias, i));
    }
  }
}
