package dev.panorm;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Checks of arguments in O(1); what is wrong is put into words only when it is. */
final class Checks {
  private Checks() {}

  /** For builders, where time does not matter. */
  static void require(boolean condition, String message, Object... numbers) {
    if (!condition) {
      throw new IllegalArgumentException(message.formatted(numbers));
    }
  }

  /** Both are there: compiled code that only met a null would throw an exception without words. */
  static void present(Tensor x, Tensor y, String yName) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, yName);
  }

  static void shape(Tensor t, String name, Tensor x) {
    if (t.rows() != x.rows() || t.cols() != x.cols()) {
      throw new IllegalArgumentException("x is " + x + ", but " + name + " is " + t);
    }
  }

  /** The shape and the type of x. */
  static void like(Tensor t, String name, Tensor x) {
    shape(t, name, x);
    if (t.type() != x.type()) {
      throw new IllegalArgumentException(name + " is " + t + ", not " + x.type() + " as x");
    }
  }

  /** A statistic, or a gradient of a parameter: contiguous, in f32, or in f64 where x is. */
  static void statistic(Tensor t, String name, long rows, long cols, Tensor x) {
    DType type = statisticOf(x.type());
    if (t.rows() != rows || t.cols() != cols || t.type() != type || !t.isContiguous()) {
      throw new IllegalArgumentException(name + " of x (" + x + ") is " + rows + " x " + cols + " "
          + type + ", contiguous, not " + t);
    }
  }

  private static DType statisticOf(DType x) {
    return x == DType.F64 ? DType.F64 : DType.F32;
  }

  static void writable(Tensor t, String name) {
    if (t.readOnly()) {
      throw new IllegalArgumentException(name + " is read-only: " + t);
    }
  }

  /** Either may be null. */
  static void apart(Tensor a, String aName, Tensor b, String bName) {
    if (a != null && b != null && a.overlaps(b)) {
      throw overlap(a, aName, b, bName);
    }
  }

  private static IllegalArgumentException overlap(Tensor a, String aName, Tensor b, String bName) {
    return new IllegalArgumentException(
        aName + " (" + a + ") overlaps " + bName + " (" + b + ") in memory");
  }

  /** Either the same elements at the same places, or apart. */
  static void sameOrApart(Tensor a, String aName, Tensor b, String bName) {
    if (a.overlaps(b) && !a.sameMemory(b)) {
      throw overlap(a, aName, b, bName);
    }
  }

  /** For memory that no kernel sees, and to tell which it was that one could not. Null is none. */
  static void accessible(Tensor t, String name) {
    if (t != null) {
      accessible(t.segment(), name, t);
    }
  }

  /** The same of the memory alone, which is told as {@code what}. */
  static void accessible(MemorySegment segment, String name, Object what) {
    if (!segment.scope().isAlive()) {
      throw new IllegalStateException(name + " is in a closed arena: " + what);
    }
    if (!segment.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException(name + " is confined to another thread: " + what);
    }
  }
}
