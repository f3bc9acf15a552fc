package dev.panorm.bench.baseline;

import java.lang.foreign.MemorySegment;

/** What comes after a norm and reads its y: here a sum. */
public final class Reader {
  private float sum;

  /** Reads all its floats once. */
  public void read(MemorySegment y) {
    sum = VectorSegments.sum(y, 0, (int) (y.byteSize() / Float.BYTES));
  }
}
