package dev.panorm.examples;

import dev.panorm.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Matrix times vector, in plain Java. */
final class MatVec {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;

  private MatVec() {}

  /**
   * Writes {@code matrix · x} into {@code y}, all of them without gaps. Every output is one sum
   * over the even columns plus one over the odd columns, each in increasing order, so its bits
   * depend on neither the machine nor its place among the rows. Four rows at a time keep eight sums
   * going.
   */
  static void multiply(Tensor matrix, Tensor x, Tensor y) {
    MemorySegment in = x.segment();
    MemorySegment out = y.segment();
    MemorySegment weights = matrix.segment();
    int rows = (int) matrix.rows();
    int cols = (int) matrix.cols();
    int row = 0;
    for (; row + 4 <= rows; row += 4) {
      fourRows(weights, row, cols, in, out);
    }
    for (; row < rows; row++) {
      out.setAtIndex(F32, row, dot(weights, (long) row * cols * Float.BYTES, in, 0, cols));
    }
  }

  private static void fourRows(MemorySegment weights, int row, int cols, MemorySegment in,
      MemorySegment out) {
    long stride = (long) cols * Float.BYTES; // from an int, so that the JIT can bound the offsets
    long start = row * stride;
    float even0 = 0;
    float even1 = 0;
    float even2 = 0;
    float even3 = 0;
    float odd0 = 0;
    float odd1 = 0;
    float odd2 = 0;
    float odd3 = 0;
    int col = 0;
    for (; col + 2 <= cols; col += 2) {
      long at = start + (long) col * Float.BYTES;
      float x0 = in.get(F32, (long) col * Float.BYTES);
      float x1 = in.get(F32, (long) col * Float.BYTES + Float.BYTES);
      even0 += weights.get(F32, at) * x0;
      odd0 += weights.get(F32, at + Float.BYTES) * x1;
      even1 += weights.get(F32, at + stride) * x0;
      odd1 += weights.get(F32, at + stride + Float.BYTES) * x1;
      even2 += weights.get(F32, at + 2 * stride) * x0;
      odd2 += weights.get(F32, at + 2 * stride + Float.BYTES) * x1;
      even3 += weights.get(F32, at + 3 * stride) * x0;
      odd3 += weights.get(F32, at + 3 * stride + Float.BYTES) * x1;
    }
    if (col < cols) {
      long at = start + (long) col * Float.BYTES;
      float x0 = in.get(F32, (long) col * Float.BYTES);
      even0 += weights.get(F32, at) * x0;
      even1 += weights.get(F32, at + stride) * x0;
      even2 += weights.get(F32, at + 2 * stride) * x0;
      even3 += weights.get(F32, at + 3 * stride) * x0;
    }
    out.setAtIndex(F32, row, even0 + odd0);
    out.setAtIndex(F32, row + 1L, even1 + odd1);
    out.setAtIndex(F32, row + 2L, even2 + odd2);
    out.setAtIndex(F32, row + 3L, even3 + odd3);
  }

  /** The dot product of {@code count} floats, from a byte offset in each segment. */
  static float dot(MemorySegment a, long aStart, MemorySegment b, long bStart, int count) {
    float even = 0;
    float odd = 0;
    int i = 0;
    for (; i + 2 <= count; i += 2) {
      long at = (long) i * Float.BYTES;
      even += a.get(F32, aStart + at) * b.get(F32, bStart + at);
      odd += a.get(F32, aStart + at + Float.BYTES) * b.get(F32, bStart + at + Float.BYTES);
    }
    if (i < count) {
      long at = (long) i * Float.BYTES;
      even += a.get(F32, aStart + at) * b.get(F32, bStart + at);
    }
    return even + odd;
  }
}
