package dev.panorm.internal;

/** BatchNorm, forward, column by column: statistics of the batch, or given ones. */
final class BatchForward {
  private final ForwardCall c;
  private final Element x;
  private final Element statistic;
  private final Parameter gain;
  private final Parameter bias;

  BatchForward(ForwardCall call) {
    c = call;
    x = call.kernel().x();
    statistic = Element.statisticOf(x);
    gain = Parameter.of(call.gain(), x, call.options(), call.width());
    bias = Parameter.of(call.bias(), x, call.options(), call.width());
  }

  void run() {
    Arithmetic natural = Arithmetic.of(x);
    for (long column = 0; column < c.width(); column++) {
      if (c.kernel().op() == Op.BATCH_NORM_INFERENCE) {
        double variance = statistic.get(c.stat1(), column);
        double radicand = natural.round(variance + natural.round(c.epsilon()));
        double inverse = natural.round(1 / natural.sqrt(radicand));
        write(natural, column, statistic.get(c.stat0(), column), 0, inverse);
      } else if (!train(natural, column)) {
        train(Arithmetic.DOUBLE, column);
      }
    }
  }

  /** Writes nothing and returns false if a sum overflowed or lost digits. */
  private boolean train(Arithmetic a, long column) {
    double divisor = a.round(c.divisor());
    double base = Arithmetic.median(value(0, column), value(c.rows() / 2, column),
        value(c.rows() - 1, column));
    double total = 0;
    double block = 0;
    for (long row = 0; row < c.rows(); row++) {
      block = a.round(block + a.round(value(row, column) - base));
      if (endsBlock(row)) {
        total = a.round(total + block);
        block = 0;
      }
    }
    double offset = a.round(total / divisor);

    total = 0;
    for (long row = 0; row < c.rows(); row++) {
      double d = a.round(a.round(value(row, column) - base) - offset);
      block = a.fma(d, d, block);
      if (endsBlock(row)) {
        total = a.round(total + block);
        block = 0;
      }
    }
    double variance = a.round(total / divisor);
    double radicand = a.round(variance + a.round(c.epsilon()));
    if (!a.safe(radicand)) {
      return false;
    }
    double inverse = a.round(1 / a.sqrt(radicand));
    if (Pieces.present(c.stat0())) {
      statistic.set(c.stat0(), column, a.round(base + offset));
    }
    if (Pieces.present(c.stat1())) {
      statistic.set(c.stat1(), column, inverse);
    }
    if (Pieces.present(c.aux())) {
      statistic.set(c.aux(), column, variance);
    }
    write(a, column, base, offset, inverse);
    return true;
  }

  private boolean endsBlock(long row) {
    return (row + 1) % RowBackward.ROW_BLOCK == 0 || row + 1 == c.rows();
  }

  private double value(long row, long column) {
    return x.get(c.x(), row * c.xStride() + column);
  }

  private void write(Arithmetic a, long column, double base, double offset, double inverse) {
    double g = gain.present() ? gain.get(a, 0, 0, column, c.gainOffset()) : 1;
    for (long row = 0; row < c.rows(); row++) {
      double t = a.round(a.round(value(row, column) - base) - offset);
      t = a.round(t * inverse);
      t = bias.present() ? a.fma(t, g, bias.get(0, 0, column)) : a.round(t * g);
      c.kernel().y().set(c.y(), row * c.yStride() + column, t);
    }
  }
}
