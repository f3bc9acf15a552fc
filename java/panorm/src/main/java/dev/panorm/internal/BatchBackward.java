package dev.panorm.internal;

/**
 * BatchNorm, backward, column by column:
 *
 * <pre>
 * dBias = sum(dy)    dGain = sum(dy * xhat)
 * dx    = (dy - dBias / rows - xhat * dGain / rows) * (gain * inverse)
 * </pre>
 */
final class BatchBackward {
  private final BackwardCall c;
  private final Element x;
  private final Element statistic;
  private final Parameter gain;

  BatchBackward(BackwardCall call) {
    c = call;
    x = call.kernel().x();
    statistic = Element.statisticOf(x);
    gain = Parameter.of(call.gain(), x, call.options(), call.width());
  }

  void run() {
    for (long column = 0; column < c.width(); column++) {
      if (!column(Arithmetic.of(x), column)) {
        column(Arithmetic.DOUBLE, column);
      }
    }
  }

  /** Writes nothing and returns false if a sum overflowed or lost digits. */
  private boolean column(Arithmetic a, long column) {
    double inverse = statistic.get(c.stat1(), column);
    double sum = 0;
    double dot = 0;
    double sumBlock = 0;
    double dotBlock = 0;
    for (long row = 0; row < c.rows(); row++) {
      sumBlock = a.round(sumBlock + dy(row, column));
      dotBlock = a.fma(dy(row, column), normalized(a, row, column), dotBlock);
      if ((row + 1) % RowBackward.ROW_BLOCK == 0 || row + 1 == c.rows()) {
        sum = a.round(sum + sumBlock);
        dot = a.round(dot + dotBlock);
        sumBlock = 0;
        dotBlock = 0;
      }
    }
    if (!a.safeGradient(sum) || !a.safeGradient(dot) || !a.safeInverse(inverse)) {
      return false;
    }
    if (Pieces.present(c.dBias())) {
      statistic.set(c.dBias(), column, sum);
    }
    if (Pieces.present(c.dGain())) {
      statistic.set(c.dGain(), column, dot);
    }
    if (Pieces.present(c.dx())) {
      double divisor = a.round(c.divisor());
      double scale = gain.present()
          ? a.round(gain.get(a, 0, 0, column, c.gainOffset()) * inverse)
          : inverse;
      double mean = a.round(sum / divisor);
      double slope = 0 - a.round(dot / divisor);
      for (long row = 0; row < c.rows(); row++) {
        double d = a.fma(normalized(a, row, column), slope, a.round(dy(row, column) - mean));
        x.set(c.dx(), row * c.dxStride() + column, a.round(d * scale));
      }
    }
    return true;
  }

  private double dy(long row, long column) {
    return c.kernel().y().get(c.dy(), row * c.dyStride() + column);
  }

  private double normalized(Arithmetic a, long row, long column) {
    double value = x.get(c.x(), row * c.xStride() + column);
    double mean = statistic.get(c.stat0(), column);
    return a.round(a.round(value - mean) * statistic.get(c.stat1(), column));
  }
}
