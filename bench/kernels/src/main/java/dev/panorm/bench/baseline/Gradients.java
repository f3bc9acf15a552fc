package dev.panorm.bench.baseline;

/**
 * Gradients of one row of n floats that begins at element {@code at}. What belongs to a column,
 * dGain and dBias, is added to.
 *
 * @param <M> what holds the floats
 */
public interface Gradients<M> {
  /** dx = inverse * (dy * gain - x * inverse * mean(dy * gain * x * inverse)). */
  void rmsNorm(M dy, M x, M gain, float inverse, M dx, M dGain, int at, int n);

  /** The same with x - mean for x, and mean(dy * gain) subtracted too. */
  void layerNorm(M dy, M x, M gain, float mean, float inverse, M dx, M dGain, M dBias, int at,
      int n);
}
