package dev.panorm.bench.baseline;

/** RMSNorm to bytes. */
public interface Quantizer {
  /**
   * RMSNorm of the n elements from {@code at} on, quantized to nearest.
   *
   * @return the scale: the largest magnitude is 127 of it
   */
  float rmsNorm(float[] x, float[] gain, byte[] y, int at, int n, float epsilon);
}
