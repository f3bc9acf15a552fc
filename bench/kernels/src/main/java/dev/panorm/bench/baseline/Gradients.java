package dev.panorm.bench.baseline;

/**
 * Gradients of one row of n floats that begins at element {@code at}. What belongs to a column,
 * dGain and dBias, is added to.
 */
public interface Gradients {
  /** dx = inverse * (dy * gain - x * inverse * mean(dy * gain * x * inverse)). */
  void rmsNorm(float[] dy, float[] x, float[] gain, float inverse, float[] dx, float[] dGain,
      int at, int n);

  /** The same with x - mean for x, and mean(dy * gain) subtracted too. */
  void layerNorm(float[] dy, float[] x, float[] gain, float mean, float inverse, float[] dx,
      float[] dGain, float[] dBias, int at, int n);
}
