package dev.panorm.bench.baseline;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vector API on arrays: the sum of squares, then the largest magnitude, then the bytes, each loop in
 * a method of its own that calls nothing but the Vector API, as in {@link VectorArrays}. Rounds by
 * adding a number whose last bit is worth 1.
 */
public final class VectorQuantizer implements Quantizer {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /** 1.5 * 2^23. */
  private static final float ROUNDER = 0x1.8p23f;

  /** As many bytes as there are floats in S, or the fewest there can be. */
  private static final VectorSpecies<Byte> B = VectorSpecies.of(byte.class,
      VectorShape.forBitSize(Math.max(64, 8 * L)));

  private static final VectorMask<Byte> FIRST = B.indexInRange(0, L);

  @Override
  public float rmsNorm(float[] x, float[] gain, byte[] y, int at, int n, float epsilon) {
    float sum = VectorArrays.squares(x, at, n);
    float inverse = Norms.inverse(sum, n, epsilon);
    float max = inverse * largest(x, gain, at, n);
    quantize(x, gain, y, at, n, max == 0 ? 0 : 127 / max * inverse);
    return max / 127;
  }

  private static float largest(float[] x, float[] gain, int at, int n) {
    FloatVector m0 = FloatVector.zero(S), m1 = m0, m2 = m0, m3 = m0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector v0 = FloatVector.fromArray(S, x, at + i);
      FloatVector v1 = FloatVector.fromArray(S, x, at + i + L);
      FloatVector v2 = FloatVector.fromArray(S, x, at + i + 2 * L);
      FloatVector v3 = FloatVector.fromArray(S, x, at + i + 3 * L);
      m0 = m0.max(v0.mul(FloatVector.fromArray(S, gain, i)).abs());
      m1 = m1.max(v1.mul(FloatVector.fromArray(S, gain, i + L)).abs());
      m2 = m2.max(v2.mul(FloatVector.fromArray(S, gain, i + 2 * L)).abs());
      m3 = m3.max(v3.mul(FloatVector.fromArray(S, gain, i + 3 * L)).abs());
    }
    for (; i <= n - L; i += L) {
      FloatVector v0 = FloatVector.fromArray(S, x, at + i);
      m0 = m0.max(v0.mul(FloatVector.fromArray(S, gain, i)).abs());
    }
    float max = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = Math.max(max, Math.abs(x[at + i] * gain[i]));
    }
    return max;
  }

  private static void quantize(float[] x, float[] gain, byte[] y, int at, int n, float factor) {
    FloatVector factors = FloatVector.broadcast(S, factor);
    FloatVector rounder = FloatVector.broadcast(S, ROUNDER);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, at + i).mul(FloatVector.fromArray(S, gain, i));
      IntVector rounded = v.fma(factors, rounder).reinterpretAsInts();
      ByteVector bytes = (ByteVector) rounded.castShape(B, 0);
      if (B.length() == L) {
        bytes.intoArray(y, at + i);
      } else {
        bytes.intoArray(y, at + i, FIRST);
      }
    }
    for (; i < n; i++) {
      y[at + i] = (byte) Math.rint(x[at + i] * gain[i] * factor);
    }
  }
}
