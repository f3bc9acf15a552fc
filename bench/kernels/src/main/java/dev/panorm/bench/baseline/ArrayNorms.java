package dev.panorm.bench.baseline;

/**
 * Norms of one row in Java arrays, as a Java programmer would write them: one implementation is one
 * way to write the loops. {@code x}, {@code y} and the others begin at element {@code at}; gain
 * and bias begin at 0.
 */
public interface ArrayNorms {
  /** RMSNorm over the first {@code span} of {@code n} elements; the full norm for span == n. */
  void rmsNorm(float[] x, float[] gain, float[] y, int at, int n, int span, float epsilon);

  /** residual += x; y = norm(residual). */
  void addRmsNorm(float[] x, float[] residual, float[] gain, float[] y, int at, int n,
      float epsilon);

  /** LayerNorm, two passes over the row for its statistics. */
  void layerNorm(float[] x, float[] gain, float[] bias, float[] y, int at, int n, float epsilon);

  /**
   * The gradients of RMSNorm: dx is overwritten, dGain added to.
   *
   * @param inverse 1 / RMS of the row, as the forward pass saved it
   */
  void rmsNormBackward(float[] dy, float[] x, float[] gain, float inverse, float[] dx,
      float[] dGain, int at, int n);
}
