package dev.panorm.bench.baseline;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vector API on arrays: the sum of squares with the largest magnitude, then the bytes, each loop in a
 * method of its own that calls nothing but the Vector API, as in {@link VectorArrays}. Magnitudes
 * are compared as the ints that have their bits: unlike floats, those need no care for NaN and -0.
 * Rounds by adding a number whose last bit is worth 1. One instance serves one thread.
 */
public final class VectorQuantizer implements Quantizer {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /** 1.5 * 2^23. */
  private static final float ROUNDER = 0x1.8p23f;

  /** As many bytes as there are floats in S, or the fewest that there can be. */
  private static final VectorSpecies<Byte> B = VectorSpecies.of(byte.class,
      VectorShape.forBitSize(Math.max(64, 8 * L)));

  /** From the bytes of four ints, of which each has one of every vector, to those of four vectors. */
  private static final VectorShuffle<Byte> TRANSPOSED = VectorShuffle.fromOp(ByteVector.SPECIES_128,
      k -> 4 * (k % 4) + k / 4);

  /** Of x, and the largest magnitude of x * gain. */
  private float squares;
  private float largest;

  @Override
  public float rmsNorm(float[] x, float[] gain, byte[] y, int at, int n, float epsilon) {
    measure(x, gain, at, n);
    float inverse = Norms.inverse(squares, n, epsilon);
    float max = inverse * largest;
    float factor = max == 0 ? 0 : 127 / max * inverse;
    if (L == 4) {
      quantizeFours(x, gain, y, at, n, factor);
    } else {
      quantize(x, gain, y, at, n, factor);
    }
    return max / 127;
  }

  private void measure(float[] x, float[] gain, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    IntVector m0 = a0.reinterpretAsInts(), m1 = m0, m2 = m0, m3 = m0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector v0 = FloatVector.fromArray(S, x, at + i);
      FloatVector v1 = FloatVector.fromArray(S, x, at + i + L);
      FloatVector v2 = FloatVector.fromArray(S, x, at + i + 2 * L);
      FloatVector v3 = FloatVector.fromArray(S, x, at + i + 3 * L);
      a0 = v0.fma(v0, a0);
      a1 = v1.fma(v1, a1);
      a2 = v2.fma(v2, a2);
      a3 = v3.fma(v3, a3);
      m0 = m0.max(v0.mul(FloatVector.fromArray(S, gain, i)).abs().reinterpretAsInts());
      m1 = m1.max(v1.mul(FloatVector.fromArray(S, gain, i + L)).abs().reinterpretAsInts());
      m2 = m2.max(v2.mul(FloatVector.fromArray(S, gain, i + 2 * L)).abs().reinterpretAsInts());
      m3 = m3.max(v3.mul(FloatVector.fromArray(S, gain, i + 3 * L)).abs().reinterpretAsInts());
    }
    for (; i <= n - L; i += L) {
      FloatVector v0 = FloatVector.fromArray(S, x, at + i);
      a0 = v0.fma(v0, a0);
      m0 = m0.max(v0.mul(FloatVector.fromArray(S, gain, i)).abs().reinterpretAsInts());
    }
    squares = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    largest = Float.intBitsToFloat(m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX));
    for (; i < n; i++) {
      squares += x[at + i] * x[at + i];
      largest = Math.max(largest, Math.abs(x[at + i] * gain[i]));
    }
  }

  private static void quantize(float[] x, float[] gain, byte[] y, int at, int n, float factor) {
    FloatVector factors = FloatVector.broadcast(S, factor);
    FloatVector rounder = FloatVector.broadcast(S, ROUNDER);
    int i = 0;
    for (; i <= n - L; i += L) {
      IntVector v = FloatVector.fromArray(S, x, at + i)
          .mul(FloatVector.fromArray(S, gain, i))
          .fma(factors, rounder)
          .reinterpretAsInts();
      ((ByteVector) v.castShape(B, 0)).intoArray(y, at + i);
    }
    for (; i < n; i++) {
      y[at + i] = (byte) Math.rint(x[at + i] * gain[i] * factor);
    }
  }

  /** Vectors of four floats are half as many as there are bytes in the smallest vector. */
  private static void quantizeFours(float[] x, float[] gain, byte[] y, int at, int n,
      float factor) {
    FloatVector factors = FloatVector.broadcast(S, factor);
    FloatVector rounder = FloatVector.broadcast(S, ROUNDER);
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector v0 = FloatVector.fromArray(S, x, at + i)
          .mul(FloatVector.fromArray(S, gain, i))
          .fma(factors, rounder);
      FloatVector v1 = FloatVector.fromArray(S, x, at + i + L)
          .mul(FloatVector.fromArray(S, gain, i + L))
          .fma(factors, rounder);
      FloatVector v2 = FloatVector.fromArray(S, x, at + i + 2 * L)
          .mul(FloatVector.fromArray(S, gain, i + 2 * L))
          .fma(factors, rounder);
      FloatVector v3 = FloatVector.fromArray(S, x, at + i + 3 * L)
          .mul(FloatVector.fromArray(S, gain, i + 3 * L))
          .fma(factors, rounder);
      IntVector low = v0.reinterpretAsInts()
          .and(0xff)
          .or(v1.reinterpretAsInts().and(0xff).lanewise(VectorOperators.LSHL, 8));
      IntVector high = v2.reinterpretAsInts()
          .and(0xff)
          .or(v3.reinterpretAsInts().lanewise(VectorOperators.LSHL, 8));
      low.or(high.lanewise(VectorOperators.LSHL, 16))
          .reinterpretAsBytes()
          .rearrange(TRANSPOSED)
          .intoArray(y, at + i);
    }
    for (; i < n; i++) {
      y[at + i] = (byte) Math.rint(x[at + i] * gain[i] * factor);
    }
  }
}
