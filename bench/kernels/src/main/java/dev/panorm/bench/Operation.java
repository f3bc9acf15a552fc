package dev.panorm.bench;

/** What is computed. */
public enum Operation {
  /** y = x: what moving the bytes alone costs. */
  COPY, RMS_NORM,
  /** RMSNorm by the root mean square of the first 6.25 % of the columns. */
  PARTIAL_RMS_NORM,
  /** residual += x; y = RMSNorm(residual). */
  ADD_RMS_NORM, LAYER_NORM,
  /** RMSNorm, then y is read once: a norm is not called for itself. */
  RMS_NORM_READ,
  /** RMSNorm, then each row as bytes with one scale. */
  RMS_NORM_INT8,
  /** The gradients of x and of the gain, from dy, x and the inverse RMS of each row. */
  RMS_NORM_BACKWARD,
  /** The gradients of x, gain and bias, from dy, x, and mean and inverse deviation of each row. */
  LAYER_NORM_BACKWARD;

  /** The paper's choice of a share for partial RMSNorm. */
  static final double PARTIAL = 0.0625;

  /** The columns that the sum is over. */
  public int span(int cols) {
    return this == PARTIAL_RMS_NORM ? (int) Math.ceil(cols * PARTIAL) : cols;
  }

  /** Whether it subtracts the mean. */
  public boolean centres() {
    return this == LAYER_NORM || this == LAYER_NORM_BACKWARD;
  }

  /** Whether it takes gradients back. */
  public boolean isBackward() {
    return this == RMS_NORM_BACKWARD || this == LAYER_NORM_BACKWARD;
  }
}
