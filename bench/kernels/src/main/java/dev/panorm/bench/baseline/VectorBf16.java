package dev.panorm.bench.baseline;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * bfloat16 by the Vector API on {@code short[]}. Two elements are taken as one int: a shift makes a
 * float of one, a mask of the other, and both go along as two vectors, so nothing is ever permuted.
 * Every loop is in a method of its own, as in {@link VectorArrays}, and rounds in place: a helper that
 * rounds is compiled by itself first, is then too long to be inlined, and makes all five times slower. Finite numbers and a
 * little-endian machine only.
 *
 * <p>On a segment over the same array this is twenty times slower in JDK 25: ints are not loaded
 * from a {@code short[]} by one instruction then.
 */
public final class VectorBf16 implements Norms<short[]> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> H = ShortVector.SPECIES_PREFERRED;
  private static final int W = H.length();

  private static final int UPPER = 0xffff0000;

  private static IntVector at(short[] s, int i) {
    return ShortVector.fromArray(H, s, i).reinterpretAsInts();
  }

  private static FloatVector even(IntVector words) {
    return words.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static FloatVector odd(IntVector words) {
    return words.and(UPPER).reinterpretAsFloats();
  }

  private static void store(IntVector words, short[] s, int i) {
    words.reinterpretAsShorts().intoArray(s, i);
  }

  private static float get(short[] s, int i) {
    return Float.intBitsToFloat(s[i] << 16);
  }

  private static void set(short[] s, int i, float value) {
    int bits = Float.floatToRawIntBits(value);
    s[i] = (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  private static float inverse(float sum, int n, float epsilon) {
    return (float) (1 / Math.sqrt(sum / n + epsilon));
  }

  private static float fold(FloatVector a0, FloatVector a1, FloatVector a2, FloatVector a3) {
    return a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void rmsNorm(short[] x, short[] gain, short[] y, int at, int n, int span, float epsilon) {
    scale(x, gain, y, at, n, inverse(squares(x, at, span), span, epsilon));
  }

  @Override
  public void addRmsNorm(short[] x, short[] residual, short[] gain, short[] y, int at, int n,
      float epsilon) {
    scale(residual, gain, y, at, n, inverse(addSquares(x, residual, at, n), n, epsilon));
  }

  @Override
  public void layerNorm(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float epsilon) {
    float mean = sum(x, at, n) / n;
    float inverse = inverse(centredSquares(x, at, n, mean), n, epsilon);
    affine(x, gain, bias, y, at, n, mean, inverse);
  }

  private static float squares(short[] x, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 2 * W; i += 2 * W) {
      IntVector x0 = at(x, i);
      IntVector x1 = at(x, i + W);
      FloatVector v0 = even(x0);
      FloatVector v1 = odd(x0);
      FloatVector v2 = even(x1);
      FloatVector v3 = odd(x1);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = at(x, i);
      FloatVector v0 = even(x0);
      FloatVector v1 = odd(x0);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = fold(a0, a1, a2, a3);
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
      IntVector x0 = at(x, i);
      IntVector x1 = at(x, i + W);
      a0 = a0.add(even(x0));
      a1 = a1.add(odd(x0));
      a2 = a2.add(even(x1));
      a3 = a3.add(odd(x1));
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = at(x, i);
      a0 = a0.add(even(x0));
      a1 = a1.add(odd(x0));
    }
    float sum = fold(a0, a1, a2, a3);
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
      IntVector x0 = at(x, i);
      IntVector x1 = at(x, i + W);
      FloatVector v0 = even(x0).sub(centre);
      FloatVector v1 = odd(x0).sub(centre);
      FloatVector v2 = even(x1).sub(centre);
      FloatVector v3 = odd(x1).sub(centre);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
    }
    for (; i <= end - W; i += W) {
      IntVector x0 = at(x, i);
      FloatVector v0 = even(x0).sub(centre);
      FloatVector v1 = odd(x0).sub(centre);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
    }
    float sum = fold(a0, a1, a2, a3);
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
      IntVector x0 = at(x, i);
      IntVector r0 = at(residual, i);
      IntVector e0 = even(r0).add(even(x0)).reinterpretAsInts();
      IntVector o0 = odd(r0).add(odd(x0)).reinterpretAsInts();
      e0 = e0.add(e0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o0 = o0.add(o0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      r0 = e0.lanewise(VectorOperators.LSHR, 16).or(o0.and(UPPER));
      store(r0, residual, i);
      FloatVector v0 = even(r0);
      FloatVector v1 = odd(r0);
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
    for (; i <= n - 2 * W; i += 2 * W) {
      IntVector x0 = at(x, at + i);
      IntVector x1 = at(x, at + i + W);
      IntVector g0 = at(gain, i);
      IntVector g1 = at(gain, i + W);
      IntVector e0 = even(x0).mul(scale).mul(even(g0)).reinterpretAsInts();
      IntVector o0 = odd(x0).mul(scale).mul(odd(g0)).reinterpretAsInts();
      IntVector e1 = even(x1).mul(scale).mul(even(g1)).reinterpretAsInts();
      IntVector o1 = odd(x1).mul(scale).mul(odd(g1)).reinterpretAsInts();
      e0 = e0.add(e0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o0 = o0.add(o0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      e1 = e1.add(e1.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o1 = o1.add(o1.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      store(e0.lanewise(VectorOperators.LSHR, 16).or(o0.and(UPPER)), y, at + i);
      store(e1.lanewise(VectorOperators.LSHR, 16).or(o1.and(UPPER)), y, at + i + W);
    }
    for (; i <= n - W; i += W) {
      IntVector x0 = at(x, at + i);
      IntVector g0 = at(gain, i);
      IntVector e0 = even(x0).mul(scale).mul(even(g0)).reinterpretAsInts();
      IntVector o0 = odd(x0).mul(scale).mul(odd(g0)).reinterpretAsInts();
      e0 = e0.add(e0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o0 = o0.add(o0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      store(e0.lanewise(VectorOperators.LSHR, 16).or(o0.and(UPPER)), y, at + i);
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
      IntVector x0 = at(x, at + i);
      IntVector g0 = at(gain, i);
      IntVector b0 = at(bias, i);
      IntVector e0 = even(x0).sub(centre).mul(scale).fma(even(g0), even(b0)).reinterpretAsInts();
      IntVector o0 = odd(x0).sub(centre).mul(scale).fma(odd(g0), odd(b0)).reinterpretAsInts();
      e0 = e0.add(e0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      o0 = o0.add(o0.lanewise(VectorOperators.LSHR, 16).and(1)).add(0x7fff);
      store(e0.lanewise(VectorOperators.LSHR, 16).or(o0.and(UPPER)), y, at + i);
    }
    for (; i < n; i++) {
      set(y, at + i, (get(x, at + i) - mean) * inverse * get(gain, i) + get(bias, i));
    }
  }
}
