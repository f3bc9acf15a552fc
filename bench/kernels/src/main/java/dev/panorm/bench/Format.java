package dev.panorm.bench;

import dev.panorm.DType;

/** How the elements of x, y and all that goes with them are stored. */
public enum Format {
  F32(DType.F32, 0), BF16(DType.BF16, 0x1p-8), F16(DType.F16, 0x1p-11);

  private final DType type;
  private final double rounding;

  Format(DType type, double rounding) {
    this.type = type;
    this.rounding = rounding;
  }

  /** The library's name for it. */
  public DType type() {
    return type;
  }

  /** A bound of the relative error of storing a result; nothing for f32, whose sums err more. */
  double rounding() {
    return rounding;
  }

  /** The value as it comes back once stored. */
  public float rounded(float value) {
    return this == F32 ? value : widened(narrowed(value));
  }

  /** The 16 bits of a finite value, to nearest even. */
  public short narrowed(float value) {
    if (this == F16) {
      return Float.floatToFloat16(value);
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  /** The value of 16 bits. */
  public float widened(short bits) {
    return this == F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
  }
}
