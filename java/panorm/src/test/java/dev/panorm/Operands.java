package dev.panorm;

import java.util.ArrayList;
import java.util.List;

/**
 * The tensors of one use of an operator, in whatever memory a test wants. They are made when they
 * are first asked for; after {@link #rewind} the same come again, in the same order.
 */
abstract class Operands {
  final Backend backend;
  final DType type;
  final long rows;
  final long cols;

  private final List<Tensor> made = new ArrayList<>();
  private int next;

  Operands(Backend backend, DType type, long rows, long cols) {
    this.backend = backend;
    this.type = type;
    this.rows = rows;
    this.cols = cols;
  }

  /** Makes a tensor; one that is read has finite values, the same for the same {@code index}. */
  abstract Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written);

  private Tensor next(DType type, long rows, long cols, boolean read, boolean written) {
    if (next == made.size()) {
      made.add(make(next, type, rows, cols, read, written));
    }
    return made.get(next++);
  }

  /** How many have been asked for. */
  int position() {
    return next;
  }

  void rewind(int position) {
    next = position;
  }

  Tensor in() {
    return next(type, rows, cols, true, false);
  }

  Tensor out() {
    return next(type, rows, cols, false, true);
  }

  /** Such as a residual, or an x in place of y. */
  Tensor inOut() {
    return next(type, rows, cols, true, true);
  }

  Tensor quantized() {
    return next(DType.I8, rows, cols, false, true);
  }

  /** A gain or a bias. */
  Tensor vector() {
    return next(type, 1, cols, true, false);
  }

  /** A gain for each row. */
  Tensor column() {
    return next(type, rows, 1, true, false);
  }

  private DType statisticType() {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  /** A statistic or a scale of each row, written. */
  Tensor rowOut() {
    return next(statisticType(), rows, 1, false, true);
  }

  Tensor rowIn() {
    return next(statisticType(), rows, 1, true, false);
  }

  /** A statistic or a gradient of each column, written. */
  Tensor columnOut() {
    return next(statisticType(), 1, cols, false, true);
  }

  Tensor columnIn() {
    return next(statisticType(), 1, cols, true, false);
  }

  /** Fills with values that no two elements near each other share, from 1 to 2 or so. */
  static Tensor fill(Tensor t, int index, double scale) {
    for (long row = 0; row < t.rows(); row++) {
      for (long col = 0; col < t.cols(); col++) {
        t.set(row, col, scale * (1 + (37 * col + 11 * row + 7 * index) % 101 / 64.0));
      }
    }
    return t;
  }
}
