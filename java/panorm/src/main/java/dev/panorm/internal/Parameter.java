package dev.panorm.internal;

import java.lang.foreign.MemorySegment;

/** Gain or bias of a call: which of its elements a column of a group of a row meets. */
record Parameter(MemorySegment segment, Element type, int layout, long width) {
  static Parameter of(MemorySegment segment, Element x, int options, long width) {
    int layout = options & Options.GAIN_MASK;
    return new Parameter(segment, Pieces.parameterType(x, options), layout, width);
  }

  boolean present() {
    return Pieces.present(segment);
  }

  long index(long row, long group, long column) {
    return switch (layout) {
      case Options.GAIN_PER_COLUMN -> group * width + column;
      case Options.GAIN_SHARED -> column;
      case Options.GAIN_PER_GROUP -> group;
      default -> row;
    };
  }

  double get(long row, long group, long column) {
    return type.get(segment, index(row, group, column));
  }

  /** A gain with its offset: left as it is by an offset of 0. */
  double get(Arithmetic a, long row, long group, long column, double offset) {
    double gain = get(row, group, column);
    return a.round(offset) == 0 ? gain : a.round(gain + a.round(offset));
  }
}
