package dev.panorm.bench;

/** What is computed. */
enum Operation {
  RMS_NORM,
  /** RMSNorm by the root mean square of the first 6.25 % of the columns. */
  PARTIAL_RMS_NORM,
  /** residual += x; y = RMSNorm(residual). */
  ADD_RMS_NORM, LAYER_NORM;

  /** The paper's choice of a share for partial RMSNorm. */
  static final double PARTIAL = 0.0625;

  /** The columns that the sum is over. */
  int span(int cols) {
    return this == PARTIAL_RMS_NORM ? (int) Math.ceil(cols * PARTIAL) : cols;
  }
}
