package dev.panorm.internal;

import java.lang.foreign.MemorySegment;

/**
 * RMSNorm and LayerNorm, backward. With xhat the normalized x and u = dy * gain:
 *
 * <pre>
 * dBias = sum over rows of dy            dGain = sum over rows of dy * xhat
 * dx    = (u - mean(u) - xhat * sum(u * xhat) / divisor) * inverse     (mean: LayerNorm only)
 * </pre>
 */
final class RowBackward {
  /** Sums over rows are taken in blocks of this many, the blocks then in order. */
  static final int ROW_BLOCK = 16;

  private final BackwardCall c;
  private final Element x;
  private final Element y;
  private final Element statistic;
  private final boolean layer;
  private final Parameter gain;
  private final int width;

  RowBackward(BackwardCall call) {
    c = call;
    x = call.kernel().x();
    y = call.kernel().y();
    statistic = Element.statisticOf(x);
    layer = call.kernel().op() == Op.LAYER_NORM_BACKWARD;
    gain = Parameter.of(call.gain(), x, call.options(), call.width());
    width = Math.toIntExact(call.width());
  }

  void run() {
    if (Pieces.present(c.dGain())) {
      addUpRows(c.dGain(), false);
    }
    if (Pieces.present(c.dBias())) {
      addUpRows(c.dBias(), true);
    }
    if (Pieces.present(c.dx())) {
      for (long row = 0; row < c.rows(); row++) {
        for (long group = 0; group < c.groups(); group++) {
          writeDx(row, group);
        }
      }
    }
  }

  /** The gradient of the gain (or bias): each element collects what met it, row by row. */
  private void addUpRows(MemorySegment target, boolean ofBias) {
    long rows = c.rows();
    long groups = c.groups();
    switch (gain.layout()) {
      case Options.GAIN_PER_COLUMN -> {
        for (long group = 0; group < groups; group++) {
          for (int i = 0; i < width; i++) {
            addUp(target, group * width + i, ofBias, 0, rows, group, group + 1, i);
          }
        }
      }
      case Options.GAIN_SHARED -> {
        for (int i = 0; i < width; i++) {
          addUp(target, i, ofBias, 0, rows, 0, groups, i);
        }
      }
      case Options.GAIN_PER_GROUP -> {
        for (long group = 0; group < groups; group++) {
          addUp(target, group, ofBias, 0, rows, group, group + 1, -1);
        }
      }
      default -> {
        for (long row = 0; row < rows; row++) {
          addUp(target, row, ofBias, row, row + 1, 0, groups, -1);
        }
      }
    }
  }

  /** Over a rectangle of (row, group) pairs; column -1 stands for all of them. */
  private void addUp(MemorySegment target, long index, boolean ofBias, long fromRow, long toRow,
      long fromGroup, long toGroup, int column) {
    Arithmetic a = Arithmetic.of(x);
    boolean adds = (c.options() & Options.ADD_GRADIENTS) != 0;
    double total = adds ? statistic.get(target, index) : 0;
    double block = 0;
    int count = 0;
    for (long row = fromRow; row < toRow; row++) {
      for (long group = fromGroup; group < toGroup; group++) {
        if (column >= 0) {
          block = addTerm(a, block, ofBias, row, group, column);
        } else {
          double[] lanes = new double[a.lanes()];
          for (int i = 0; i < width; i++) {
            int lane = i % a.lanes();
            lanes[lane] = addTerm(a, lanes[lane], ofBias, row, group, i);
          }
          block = a.round(block + a.fold(lanes));
        }
        if (++count % ROW_BLOCK == 0) {
          total = a.round(total + block);
          block = 0;
        }
      }
    }
    if (count % ROW_BLOCK != 0) {
      total = a.round(total + block);
    }
    statistic.set(target, index, total);
  }

  private double addTerm(Arithmetic a, double sum, boolean ofBias, long row, long group,
      int column) {
    double dy = dy(row, group, column);
    return ofBias ? a.round(sum + dy) : a.fma(dy, normalized(a, row, group, column), sum);
  }

  private double dy(long row, long group, int column) {
    return y.get(c.dy(), row * c.dyStride() + group * width + column);
  }

  private double normalized(Arithmetic a, long row, long group, int column) {
    double value = x.get(c.x(), row * c.xStride() + group * width + column);
    long pair = row * c.groups() + group;
    double first = statistic.get(c.stat0(), pair);
    if (!layer) {
      return a.round(value * first);
    }
    return a.round(a.round(value - first) * statistic.get(c.stat1(), pair));
  }

  private void writeDx(long row, long group) {
    long pair = row * c.groups() + group;
    double inverse = statistic.get(layer ? c.stat1() : c.stat0(), pair);
    if (!writeDx(Arithmetic.of(x), row, group, inverse)) {
      writeDx(Arithmetic.DOUBLE, row, group, inverse);
    }
  }

  /** Writes nothing and returns false if a sum overflowed or lost digits. */
  private boolean writeDx(Arithmetic a, long row, long group, double inverse) {
    double[] upstream = new double[width];
    double[] xhat = new double[width];
    double[] dots = new double[a.lanes()];
    double[] sums = new double[a.lanes()];
    for (int i = 0; i < width; i++) {
      upstream[i] = dy(row, group, i);
      if (gain.present()) {
        upstream[i] = a.round(upstream[i] * gain.get(a, row, group, i, c.gainOffset()));
      }
      xhat[i] = normalized(a, row, group, i);
      int lane = i % a.lanes();
      dots[lane] = a.fma(upstream[i], xhat[i], dots[lane]);
      sums[lane] = a.round(sums[lane] + upstream[i]);
    }
    double dot = a.fold(dots);
    double sum = layer ? a.fold(sums) : 0;
    if (!a.safeGradient(dot) || !a.safeGradient(sum) || !a.safeInverse(inverse)) {
      return false;
    }
    double mean = a.round(sum / a.round(c.divisor()));
    double slope = a.slope(dot, inverse, c.divisor(), c.epsilon(), c.options(), Arithmetic.of(x));
    long at = row * c.dxStride() + group * width;
    for (int i = 0; i < width; i++) {
      double u = layer ? a.round(upstream[i] - mean) : upstream[i];
      double d = a.fma(xhat[i], i < c.span() ? -slope : -0.0, u);
      x.set(c.dx(), at + i, a.round(d * inverse));
    }
    return true;
  }
}
