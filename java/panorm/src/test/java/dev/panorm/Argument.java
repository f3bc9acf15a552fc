package dev.panorm;

import dev.panorm.internal.Element;

/**
 * One argument of a kernel: rows of elements in memory.
 *
 * @param values what it is filled with before the call; null if the kernel only writes it
 */
record Argument(String name, Element type, long rows, long cols, long stride, Values values) {
  /** A vector or a statistic: one contiguous row. */
  static Argument vector(String name, Element type, long length, Values values) {
    return new Argument(name, type, 1, length, length, values);
  }

  long byteSize() {
    return rows == 0 || cols == 0 ? 0 : ((rows - 1) * stride + cols) * type.size;
  }
}
