package dev.panorm.bench.baseline;

/**
 * {@link PlainLoop} on 16-bit elements, each widened where it is read. Bytes of finite numbers only:
 * the rounding of bfloat16 does not look for NaNs.
 */
public abstract sealed class PlainSixteenBit implements Norms<short[]> {
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
    for (int i = 0; i < n; i++) {
      y[at + i] = narrow(widen(x[at + i]) * inverse * widen(gain[i]));
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
    for (int i = 0; i < n; i++) {
      y[at + i] = narrow((widen(x[at + i]) - mean) * inverse * widen(gain[i]) + widen(bias[i]));
    }
  }
}
