package dev.panorm.internal;

import java.lang.foreign.MemorySegment;

/** How calls are cut: by rows, or by columns in whole blocks of the kernels. */
final class Pieces {
  /** Columns come in multiples of this: the widest block of a kernel. */
  static final long COLUMNS = 64;

  /** A piece, and how many there are. */
  interface Range {
    void accept(long from, long to, long pieces);
  }

  private Pieces() {}

  static void ofRows(long rows, long parts, Range range) {
    split(rows, parts, 1, range);
  }

  /** By rows, as many together as are added up to gradients. */
  static void ofRowBlocks(long rows, long parts, Range range) {
    split(rows, parts, RowBackward.ROW_BLOCK, range);
  }

  static void ofColumns(long columns, long parts, Range range) {
    split(columns, parts, COLUMNS, range);
  }

  private static void split(long total, long parts, long unit, Range range) {
    long units = Math.ceilDiv(total, unit);
    long pieces = Math.min(parts, units);
    for (long i = 0, from = 0; i < pieces; i++) {
      long to = from + units / pieces + (i < units % pieces ? 1 : 0);
      range.accept(from * unit, Math.min(to * unit, total), pieces);
      from = to;
    }
  }

  /** Whether an argument is there; else it is NULL itself. (By equals it takes longer to tell.) */
  static boolean present(MemorySegment segment) {
    return segment != MemorySegment.NULL;
  }

  static MemorySegment at(MemorySegment segment, long index, Element type) {
    return present(segment) ? segment.asSlice(index * type.size) : segment;
  }

  /** As a native call does: all memory is there, for this thread, before any is written. */
  static void requireAccess(MemorySegment... segments) {
    for (MemorySegment segment : segments) {
      if (!segment.scope().isAlive()) {
        throw new IllegalStateException("Already closed");
      }
      if (!segment.isAccessibleBy(Thread.currentThread())) {
        throw new WrongThreadException("Memory is confined to another thread");
      }
    }
  }

  static Element parameterType(Element x, int options) {
    return (options & Options.GAIN_F32) != 0 ? Element.F32 : x;
  }

  /** Gain or bias as rows from one on meet it: only one per row moves. */
  static MemorySegment parameterAt(MemorySegment segment, long row, Element x, int options) {
    return at(segment, Options.perRow(options) ? row : 0, parameterType(x, options));
  }
}
