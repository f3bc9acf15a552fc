package dev.panorm.internal;

/** The operators of panorm.h, in its order. */
public enum Op {
  RMS_NORM, LAYER_NORM, RMS_NORM_BACKWARD, LAYER_NORM_BACKWARD, BATCH_NORM, BATCH_NORM_INFERENCE, BATCH_NORM_BACKWARD;

  /** Or-ed to the ordinal of a norm over rows: its kernel for one row. */
  public static final int ONE_ROW = 16;

  /** Whether statistics are those of columns, not of rows. */
  boolean overRows() {
    return compareTo(BATCH_NORM) >= 0;
  }

  /** Whether the operator exists for an x and a y of these types. */
  public boolean supports(Element x, Element y) {
    if (x == y) {
      return x != Element.I8;
    }
    if (this != RMS_NORM && this != LAYER_NORM) {
      return false;
    }
    return switch (x) {
      case F32 -> y != Element.F64;
      case F16, BF16 -> y == Element.F32 || y == Element.I8;
      default -> false;
    };
  }
}
