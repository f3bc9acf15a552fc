package dev.panorm.internal;

/** The option bits of panorm.h. */
public final class Options {
  public static final int EPSILON_INSIDE = 0;
  public static final int EPSILON_OUTSIDE = 1;
  public static final int EPSILON_FLOOR = 2;
  static final int EPSILON_MASK = 3;

  public static final int AUX_NONE = 0;
  public static final int AUX_ADD = 4;
  public static final int AUX_GATE = 8;

  public static final int GAIN_PER_COLUMN = 0;
  public static final int GAIN_SHARED = 16;
  public static final int GAIN_PER_GROUP = 32;
  public static final int GAIN_PER_ROW = 48;
  static final int GAIN_MASK = 48;

  public static final int ROUND_BEFORE_GAIN = 64;
  public static final int GAIN_F32 = 128;

  public static final int ADD_GRADIENTS = 256;

  public static final int PARTS = 512;

  private static final long MAX_PARTS = 256;

  private Options() {}

  /** Whether gain and bias have an element a row. */
  static boolean perRow(int options) {
    return (options & GAIN_MASK) == GAIN_PER_ROW;
  }

  /** For one of so many parts of a call with these options, which may be one of several itself. */
  static int ofPart(int options, long parts) {
    long all = Math.min(parts, MAX_PARTS) * (options / PARTS + 1);
    return options % PARTS + (int) (Math.min(all, MAX_PARTS) - 1) * PARTS;
  }
}
