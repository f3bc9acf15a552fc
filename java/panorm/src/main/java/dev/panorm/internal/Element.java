package dev.panorm.internal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** How an element type is stored: the constants follow panorm.h. */
public enum Element {
  F32(4), F64(8), F16(2), BF16(2), I8(1);

  public final long size;

  Element(long size) {
    this.size = size;
  }

  /** The type of the statistics and sums of rows of a type. */
  public static Element statisticOf(Element x) {
    return x == F64 ? F64 : F32;
  }

  /** Element {@code index} of a segment, exactly. */
  public double get(MemorySegment segment, long index) {
    long offset = index * size;
    return switch (this) {
      case F32 -> segment.get(JAVA_FLOAT_UNALIGNED, offset);
      case F64 -> segment.get(JAVA_DOUBLE_UNALIGNED, offset);
      case F16 -> Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, offset));
      case BF16 -> Float.intBitsToFloat(segment.get(JAVA_SHORT_UNALIGNED, offset) << 16);
      case I8 -> segment.get(JAVA_BYTE, offset);
    };
  }

  /** Stores a value, rounded once to the nearest element, ties to even; in I8 a NaN is 0. */
  public void set(MemorySegment segment, long index, double value) {
    long offset = index * size;
    switch (this) {
      case F32 -> segment.set(JAVA_FLOAT_UNALIGNED, offset, (float) value);
      case F64 -> segment.set(JAVA_DOUBLE_UNALIGNED, offset, value);
      case F16 -> segment.set(JAVA_SHORT_UNALIGNED, offset, Float.floatToFloat16(toOdd(value)));
      case BF16 -> segment.set(JAVA_SHORT_UNALIGNED, offset, toBf16(toOdd(value)));
      case I8 -> segment.set(JAVA_BYTE, offset, toI8(value));
    }
  }

  /** What storing a value and getting it back gives. */
  double rounded(double value) {
    return switch (this) {
      case F32 -> (float) value;
      case F64 -> value;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16(toOdd(value)));
      case BF16 -> Float.intBitsToFloat(toBf16(toOdd(value)) << 16);
      case I8 -> toI8(value);
    };
  }

  private static byte toI8(double value) {
    return (byte) Math.clamp(Math.rint(value), Byte.MIN_VALUE, Byte.MAX_VALUE);
  }

  private static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >> 16);
  }

  /** Rounds to float such that rounding that again to 16 bits is right. */
  private static float toOdd(double value) {
    float f = (float) value;
    int bits = Float.floatToRawIntBits(f);
    if (f == value || Double.isNaN(value) || (bits & 1) != 0) {
      return f;
    }
    boolean larger = Math.abs(value) > Math.abs((double) f);
    return Float.intBitsToFloat(larger ? bits + 1 : bits - 1);
  }
}
