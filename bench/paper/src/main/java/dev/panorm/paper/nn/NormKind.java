package dev.panorm.paper.nn;

/** The norms that the paper compares. */
public enum NormKind {
  NONE("Baseline"), LAYER_NORM("LayerNorm"), RMS_NORM("RMSNorm"),
  /**
   * The RMS of the first 6.25 % of the columns, the paper's share. A choice for training: weights
   * trained with the full norm are destroyed by it.
   */
  P_RMS_NORM("pRMSNorm"), L2_NORM("L2-Norm"), BATCH_NORM("BatchNorm"),
  /** Normalizes the weights of each output, not what they sum up to. */
  WEIGHT_NORM("WeightNorm");

  static final double PARTIAL = 0.0625;

  private final String label;

  NormKind(String label) {
    this.label = label;
  }

  /** The paper's name for it. */
  public String label() {
    return label;
  }
}
