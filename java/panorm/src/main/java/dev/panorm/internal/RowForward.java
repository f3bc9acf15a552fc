package dev.panorm.internal;

import java.util.Arrays;

/** RMSNorm and LayerNorm, forward, group by group and row by row. */
final class RowForward {
  private final ForwardCall c;
  private final Element x;
  private final Element statistic;
  private final boolean layer;
  private final boolean quantize;
  private final Parameter gain;
  private final Parameter bias;
  private final double[] values;

  RowForward(ForwardCall call) {
    c = call;
    x = call.kernel().x();
    statistic = Element.statisticOf(x);
    layer = call.kernel().op() == Op.LAYER_NORM;
    quantize = call.kernel().y() == Element.I8;
    gain = Parameter.of(call.gain(), x, call.options(), call.width());
    bias = Parameter.of(call.bias(), x, call.options(), call.width());
    values = new double[Math.toIntExact(call.width())];
  }

  void run() {
    for (long row = 0; row < c.rows(); row++) {
      for (long group = 0; group < c.groups(); group++) {
        normalize(row, group);
      }
    }
  }

  private void normalize(long row, long group) {
    Arithmetic a = Arithmetic.of(x);
    load(a, row, group);
    Statistics s = statistics(a);
    if (!a.safe(s.radicand)) { // a sum overflowed or lost digits: all again in double
      a = Arithmetic.DOUBLE;
      s = statistics(a);
    }
    double inverse = a.inverseRoot(s.radicand, c.epsilon(), c.options());
    for (int i = 0; i < values.length; i++) {
      values[i] = finish(a, a.round(centred(a, s, values[i]) * inverse), row, group, i);
    }

    long index = row * c.groups() + group;
    if (quantize) {
      statistic.set(c.stat1(), index, quantize(a));
    } else if (layer && Pieces.present(c.stat1())) {
      statistic.set(c.stat1(), index, inverse);
    }
    if (Pieces.present(c.stat0())) {
      statistic.set(c.stat0(), index, layer ? a.round(s.base + s.offset) : inverse);
    }
    long at = row * c.yStride() + group * c.width();
    for (int i = 0; i < values.length; i++) {
      c.kernel().y().set(c.y(), at + i, values[i]);
    }
  }

  /** Reads the group, with the residual added (and stored) if the call says so. */
  private void load(Arithmetic a, long row, long group) {
    boolean add = (c.options() & Options.AUX_ADD) != 0;
    long at = row * c.xStride() + group * c.width();
    long auxAt = row * c.auxStride() + group * c.width();
    for (int i = 0; i < values.length; i++) {
      values[i] = x.get(c.x(), at + i);
      if (add) {
        x.set(c.aux(), auxAt + i, a.round(values[i] + x.get(c.aux(), auxAt + i)));
        values[i] = x.get(c.aux(), auxAt + i);
      }
    }
  }

  /**
   * What is under the root, and LayerNorm's mean as an unevaluated sum of two: x - base is exact
   * where it matters, so that a row around 10,000 comes out as well as one around 0, and one with an
   * outlier.
   */
  private record Statistics(double radicand, double base, double offset) {}

  private Statistics statistics(Arithmetic a) {
    double divisor = a.round(c.divisor());
    Statistics centre = new Statistics(0, 0, 0);
    if (layer) {
      double base = Arithmetic.median(values[0], values[values.length / 2],
          values[values.length - 1]);
      double[] sum = new double[a.lanes()];
      for (int i = 0; i < values.length; i++) {
        int lane = i % a.lanes();
        sum[lane] = a.round(sum[lane] + a.round(values[i] - base));
      }
      centre = new Statistics(0, base, a.round(a.fold(sum) / divisor));
    }
    double[] squares = new double[a.lanes()];
    long span = layer ? c.width() : c.span();
    for (int i = 0; i < span; i++) {
      int lane = i % a.lanes();
      double t = centred(a, centre, values[i]);
      squares[lane] = a.fma(t, t, squares[lane]);
    }
    double meanSquare = a.round(a.fold(squares) / divisor);
    return new Statistics(a.radicand(meanSquare, c.epsilon(), c.options()), centre.base,
        centre.offset);
  }

  private double centred(Arithmetic a, Statistics s, double value) {
    return layer ? a.round(a.round(value - s.base) - s.offset) : value;
  }

  /** Gain, bias and gate. */
  private double finish(Arithmetic a, double normalized, long row, long group, int i) {
    double t = normalized;
    if (x.size == 2 && (c.options() & Options.ROUND_BEFORE_GAIN) != 0) {
      t = x.rounded(t);
    }
    if (gain.present()) {
      double g = gain.get(a, row, group, i, c.gainOffset());
      t = bias.present() ? a.fma(t, g, bias.get(row, group, i)) : a.round(t * g);
    } else if (bias.present()) {
      t = a.round(t + bias.get(row, group, i));
    }
    if ((c.options() & Options.AUX_GATE) != 0) {
      double z = x.get(c.aux(), row * c.auxStride() + group * c.width() + i);
      t = a.round(t * a.silu(z));
    }
    return t;
  }

  /** Turns the values into the integers of their quantized form and returns the scale. */
  private double quantize(Arithmetic a) {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, Math.abs(value)); // a NaN wins
    }
    double scale = statistic.rounded(a.round(largest / 127));
    if (scale == 0 || !Double.isFinite(scale)) {
      Arrays.fill(values, 0);
    } else {
      double lift = largest < 0x1p-100 ? 0x1p64 : 1; // or the factor would overflow
      double factor = a.round(127 / a.round(largest * lift));
      for (int i = 0; i < values.length; i++) {
        values[i] = a.roundEven(a.round(a.round(values[i] * lift) * factor));
      }
    }
    return scale;
  }
}
