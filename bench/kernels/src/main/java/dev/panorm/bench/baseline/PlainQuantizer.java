package dev.panorm.bench.baseline;

/** Plain loops. Rounds by adding a number whose last bit is worth 1: {@code Math.rint} is slower. */
public final class PlainQuantizer implements Quantizer {
  /** 1.5 * 2^23. */
  private static final float ROUNDER = 0x1.8p23f;

  @Override
  public float rmsNorm(float[] x, float[] gain, byte[] y, int at, int n, float epsilon) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[at + i] * x[at + i];
    }
    float inverse = (float) (1 / Math.sqrt(sum / n + epsilon));
    float max = 0;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, Math.abs(x[at + i] * inverse * gain[i]));
    }
    float steps = max == 0 ? 0 : 127 / max;
    for (int i = 0; i < n; i++) {
      y[at + i] = (byte) (x[at + i] * inverse * gain[i] * steps + ROUNDER - ROUNDER);
    }
    return max / 127;
  }
}
