package dev.panorm.bench.baseline;

/**
 * {@link PlainLoop} on 16-bit elements, each widened where it is read. Finite numbers only: the
 * rounding of bfloat16 does not look for NaNs. The compiler makes vectors of binary16, of bfloat16
 * not: it has none for {@code Float.intBitsToFloat}. One instance serves one thread.
 */
public abstract sealed class PlainSixteenBit implements Norms<short[]> {
  private short[] row = {};

  abstract float widen(short bits);

  abstract short narrow(float value);

  /** bfloat16. */
  public static final class Bf16 extends PlainSixteenBit {
    @Override
    float widen(short bits) {
      return Float.intBitsToFloat(bits << 16);
    }

    @Override
    short narrow(float value) {
      int bits = Float.floatToRawIntBits(value);
      return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
  }

  /** IEEE binary16. */
  public static final class F16 extends PlainSixteenBit {
    @Override
    float widen(short bits) {
      return Float.float16ToFloat(bits);
    }

    @Override
    short narrow(float value) {
      return Float.floatToFloat16(value);
    }
  }

  @Override
  public void rmsNorm(short[] x, short[] gain, short[] y, int at, int n, int span, float epsilon) {
    float sum = 0;
    for (int i = 0; i < span; i++) {
      float v = widen(x[at + i]);
      sum += v * v;
    }
    float inverse = (float) (1 / Math.sqrt(sum / span + epsilon));
    if (at == 0) {
      for (int i = 0; i < n; i++) {
        y[i] = narrow(widen(x[i]) * inverse * widen(gain[i]));
      }
    } else {
      System.arraycopy(gain, 0, y, at, n);
      for (int i = 0; i < n; i++) {
        y[at + i] = narrow(widen(x[at + i]) * inverse * widen(y[at + i]));
      }
    }
  }

  @Override
  public void addRmsNorm(short[] x, short[] residual, short[] gain, short[] y, int at, int n,
      float epsilon) {
    for (int i = 0; i < n; i++) {
      residual[at + i] = narrow(widen(residual[at + i]) + widen(x[at + i]));
    }
    rmsNorm(residual, gain, y, at, n, n, epsilon);
  }

  @Override
  public void layerNorm(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float epsilon) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += widen(x[at + i]);
    }
    float mean = sum / n;
    float squares = 0;
    for (int i = 0; i < n; i++) {
      float centred = widen(x[at + i]) - mean;
      squares += centred * centred;
    }
    float inverse = (float) (1 / Math.sqrt(squares / n + epsilon));
    if (at == 0) {
      affine(x, gain, bias, y, n, mean, inverse);
    } else {
      if (row.length < n) {
        row = new short[n];
      }
      System.arraycopy(x, at, row, 0, n);
      affine(row, gain, bias, row, n, mean, inverse);
      System.arraycopy(row, 0, y, at, n);
    }
  }

  private void affine(short[] x, short[] gain, short[] bias, short[] y, int n, float mean,
      float inverse) {
    for (int i = 0; i < n; i++) {
      y[i] = narrow((widen(x[i]) - mean) * inverse * widen(gain[i]) + widen(bias[i]));
    }
  }
}
