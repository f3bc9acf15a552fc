package dev.panorm.bench.baseline;

/**
 * Norms of one row, as a Java programmer would write them: one implementation is one way to write
 * the loops. Rows begin at element {@code at}; gain and bias begin at 0. y is none of the others.
 *
 * @param <M> what holds the numbers
 */
public interface Norms<M> {
  /** RMSNorm over the first {@code span} of {@code n} elements; the full norm for span == n. */
  void rmsNorm(M x, M gain, M y, int at, int n, int span, float epsilon);

  /** residual += x; y = RMSNorm(residual). */
  void addRmsNorm(M x, M residual, M gain, M y, int at, int n, float epsilon);

  /** LayerNorm, two passes over the row for its statistics. */
  void layerNorm(M x, M gain, M bias, M y, int at, int n, float epsilon);

  /** What the statistics of n elements come to: 1 / sqrt(sum / n + epsilon). */
  static float inverse(float sum, int n, float epsilon) {
    return (float) (1 / Math.sqrt(sum / n + epsilon));
  }
}
