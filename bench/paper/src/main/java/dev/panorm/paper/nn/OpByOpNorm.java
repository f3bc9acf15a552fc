package dev.panorm.paper.nn;

/**
 * A norm over rows as a graph of small operations, each a pass over memory that knows its own way
 * back: what a framework does that has no kernel for the norm.
 */
final class OpByOpNorm implements Norm {
  private static final float EPSILON = 1e-5f;

  private final NormKind kind;
  private final Value gain;
  private final Norm bias;

  OpByOpNorm(NormKind kind, Value gain, Value bias) {
    this.kind = kind;
    this.gain = gain;
    this.bias = new None(bias);
  }

  @Override
  public Value apply(Tape tape, Value x) {
    return tape.norm(() -> {
      int n = x.cols();
      Value normed = switch (kind) {
        case LAYER_NORM -> {
          Value centred = minusColumn(tape, x, mean(tape, x, n, n));
          yield timesColumn(tape, centred,
              inverseRoot(tape, mean(tape, square(tape, centred), n, n), EPSILON));
        }
        case L2_NORM ->
          timesColumn(tape, x, inverseRoot(tape, mean(tape, square(tape, x), n, 1), 1e-12f)); // of zeros, too
        case RMS_NORM ->
          timesColumn(tape, x, inverseRoot(tape, mean(tape, square(tape, x), n, n), EPSILON));
        case P_RMS_NORM -> {
          int k = (int) Math.ceil(n * NormKind.PARTIAL);
          Value first = square(tape, tape.columns(x, 0, k));
          yield timesColumn(tape, x, inverseRoot(tape, mean(tape, first, k, k), EPSILON));
        }
        case NONE, BATCH_NORM, WEIGHT_NORM -> throw new AssertionError(kind);
      };
      return bias.apply(tape, timesRow(tape, normed, gain));
    });
  }

  private static Value square(Tape tape, Value x) {
    Value y = tape.allocate(x.rows(), x.cols());
    Loops.product(x.data(), 0, x.data(), 0, y.data(), 0, x.size());
    tape.record(y, () -> Loops.addProduct(y.grad(), 0, x.data(), 0, 2, x.grad(), 0, x.size()));
    return y;
  }

  /** The sum of each row, divided. */
  private static Value mean(Tape tape, Value x, int n, float divisor) {
    Value y = tape.allocate(x.rows(), 1);
    for (long r = 0; r < x.rows(); r++) {
      Loops.set(y.data(), r, Loops.total(x.data(), r * n, n) / divisor);
    }
    tape.record(y, () -> {
      for (long r = 0; r < x.rows(); r++) {
        Loops.affine(x.grad(), r * n, 1, Loops.get(y.grad(), r) / divisor, x.grad(), r * n, n);
      }
    });
    return y;
  }

  private static Value inverseRoot(Tape tape, Value x, float epsilon) {
    Value y = tape.allocate(x.rows(), 1);
    for (long r = 0; r < x.rows(); r++) {
      Loops.set(y.data(), r, (float) (1 / Math.sqrt(Loops.get(x.data(), r) + epsilon)));
    }
    tape.record(y, () -> {
      for (long r = 0; r < x.rows(); r++) {
        float root = Loops.get(y.data(), r);
        float slope = -0.5f * root * root * root;
        Loops.set(x.grad(), r, Math.fma(slope, Loops.get(y.grad(), r), Loops.get(x.grad(), r)));
      }
    });
    return y;
  }

  private static Value minusColumn(Tape tape, Value x, Value column) {
    long n = x.cols();
    Value y = tape.allocate(x.rows(), n);
    for (long r = 0; r < x.rows(); r++) {
      Loops.affine(x.data(), r * n, 1, -Loops.get(column.data(), r), y.data(), r * n, n);
    }
    tape.record(y, () -> {
      Loops.add(y.grad(), x.grad(), x.size());
      for (long r = 0; r < x.rows(); r++) {
        Loops.set(column.grad(), r, Loops.get(column.grad(), r) - Loops.total(y.grad(), r * n, n));
      }
    });
    return y;
  }

  private static Value timesColumn(Tape tape, Value x, Value column) {
    long n = x.cols();
    Value y = tape.allocate(x.rows(), n);
    for (long r = 0; r < x.rows(); r++) {
      Loops.affine(x.data(), r * n, Loops.get(column.data(), r), 0, y.data(), r * n, n);
    }
    tape.record(y, () -> {
      for (long r = 0; r < x.rows(); r++) {
        Loops.add(y.grad(), r * n, Loops.get(column.data(), r), x.grad(), r * n, n);
        Loops.set(column.grad(), r,
            Loops.get(column.grad(), r) + Loops.dot(y.grad(), r * n, x.data(), r * n, n));
      }
    });
    return y;
  }

  private static Value timesRow(Tape tape, Value x, Value row) {
    long n = x.cols();
    Value y = tape.allocate(x.rows(), n);
    for (long r = 0; r < x.rows(); r++) {
      Loops.product(x.data(), r * n, row.data(), 0, y.data(), r * n, n);
    }
    tape.record(y, () -> {
      for (long r = 0; r < x.rows(); r++) {
        Loops.addProduct(y.grad(), r * n, row.data(), 0, 1, x.grad(), r * n, n);
        Loops.addProduct(y.grad(), r * n, x.data(), r * n, 1, row.grad(), 0, n);
      }
    });
    return y;
  }
}
