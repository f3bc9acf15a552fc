package dev.panorm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Tensors for tests of the public operators. */
final class Tensors {
  private Tensors() {}

  static Tensor filled(Arena arena, DType type, long rows, long cols, Values values, long seed) {
    Tensor t = Tensor.allocate(arena, type, rows, cols);
    Argument argument = new Argument("", type.element, rows, cols, cols, values);
    values.fill(t.segment(), argument, new SplittableRandom(seed));
    return t;
  }

  static Tensor normal(Arena arena, long rows, long cols, long seed) {
    return filled(arena, DType.F32, rows, cols, Values.NORMAL, seed);
  }

  static Tensor copy(Arena arena, Tensor t) {
    Tensor copy = Tensor.allocate(arena, t.type(), t.rows(), t.cols());
    for (long row = 0; row < t.rows(); row++) {
      copy.row(row).segment().copyFrom(t.row(row).segment());
    }
    return copy;
  }

  /** A copy, of one without gaps, in an array of long, which is aligned for every type. */
  static Tensor copyOnHeap(Tensor t) {
    long bytes = t.segment().byteSize();
    MemorySegment heap = MemorySegment.ofArray(new long[(int) Math.ceilDiv(bytes, 8)]);
    heap.asSlice(0, bytes).copyFrom(t.segment());
    return Tensor.ofSegment(heap, t.type(), t.rows(), t.cols());
  }

  /** Stores an element of so many bytes, 2, 4 or 8, as it is. */
  static void putBits(MemorySegment segment, long size, long index, long bits) {
    switch ((int) size) {
      case 2 -> segment.set(JAVA_SHORT_UNALIGNED, index * size, (short) bits);
      case 4 -> segment.set(JAVA_INT_UNALIGNED, index * size, (int) bits);
      default -> segment.set(JAVA_LONG_UNALIGNED, index * size, bits);
    }
  }

  static double[] row(Tensor t, long row) {
    double[] values = new double[Math.toIntExact(t.cols())];
    Arrays.setAll(values, col -> t.get(row, col));
    return values;
  }

  static double[] column(Tensor t, long col) {
    double[] values = new double[Math.toIntExact(t.rows())];
    Arrays.setAll(values, row -> t.get(row, col));
    return values;
  }

  /** Fails unless all elements have the same bits, any NaN counting as any other. */
  static void assertSameBits(Tensor expected, Tensor actual, String what) {
    long size = expected.type().byteSize();
    for (long row = 0; row < expected.rows(); row++) {
      byte[] e = expected.row(row).segment().toArray(JAVA_BYTE);
      byte[] a = actual.row(row).segment().toArray(JAVA_BYTE);
      for (int i = Arrays.mismatch(e, a); i >= 0 && i < e.length; i++) {
        long col = i / size;
        double wanted = expected.get(row, col);
        double got = actual.get(row, col);
        if (e[i] != a[i] && !(Double.isNaN(wanted) && Double.isNaN(got))) {
          fail("%s: element [%d][%d] is %s, not %s".formatted(what, row, col, got, wanted));
        }
      }
    }
  }
}
