package dev.panorm.bench.baseline;

/**
 * Gradients of rows of n floats, one after the other; as many as there are inverses.
 *
 * @param <M> what holds the floats
 */
public interface Gradients<M> {
  /**
   * dx = inverse * (dy * gain - x * inverse * mean(dy * gain * x * inverse)); dGain is the sum over
   * the rows of dy * x * inverse.
   */
  void rmsNorm(M dy, M x, M gain, float[] inverse, M dx, M dGain, int n);

  /**
   * The same with x - mean for x, and mean(dy * gain) subtracted too; dBias is the sum over the rows
   * of dy.
   */
  void layerNorm(M dy, M x, M gain, float[] mean, float[] inverse, M dx, M dGain, M dBias, int n);
}
