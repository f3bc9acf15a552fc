package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The Java kernels, which all others equal bit for bit, against exact arithmetic, within bounds that
 * are proved here to first order; README of the kernels states them.
 *
 * <p>u is one rounding of what is computed in: 2^-24 in f32, which F16 and BF16 rows are computed in
 * too, 2^-53 in f64. A sum over n columns puts a term through at most S = ceil(n / lanes) + 6
 * roundings, of its lane and of the fold. A sum over rows puts it through S = 16 + ceil(rows / 16),
 * of its block and of the blocks. Results in 16 bits are rounded once more.
 */
class AccuracyTest {
  /** Terms of second order are below n u times those of first order. */
  private static final double SECOND_ORDER = 1.01;

  private static final int ROWS = 4;

  private static double unit(DType x) {
    return x == DType.F64 ? 0x1p-53 : 0x1p-24;
  }

  /** S of a sum over columns. */
  private static double columnSum(DType x, int cols) {
    return Math.ceil(cols / (x == DType.F64 ? 32.0 : 64.0)) + 6;
  }

  /** S of a sum over rows. */
  private static double rowSum(long rows) {
    return 16 + Math.ceil(rows / 16.0);
  }

  static Stream<Object[]> typesAndWidths() {
    return Stream.of(DType.F32, DType.F64, DType.F16, DType.BF16)
        .flatMap(type -> Stream.of(1, 2, 3, 63, 64, 65, 127, 257, 1009, 4096, 12_288)
            .filter(cols -> type == DType.F32 || cols <= 1009)
            .map(cols -> new Object[] {type, cols}));
  }

  /** @param bound without the rounding to the type of t */
  private static void assertNear(BigDecimal exact, Tensor t, long row, long col, double bound,
      String what) {
    double magnitude = Math.abs(exact.doubleValue());
    double rounding = switch (t.type()) {
      case F16 -> Math.max(magnitude * 0x1p-11, 0x1p-25);
      case BF16 -> Math.max(magnitude * 0x1p-8, 0x1p-134);
      default -> 0;
    };
    double error = exact.subtract(Exact.big(t.get(row, col))).abs().doubleValue();
    assertTrue(error <= SECOND_ORDER * (bound + rounding),
        () -> "%s[%d][%d] is %s, not %s: off by %s, more than %s".formatted(what, row, col,
            t.get(row, col), exact.doubleValue(), error, bound + rounding));
  }

  /**
   * RMSNorm: the sum of squares is off by S u, the division by n and adding epsilon make it S + 2.
   * The root halves that and rounds, the reciprocal rounds: inverse, (S + 2) / 2 u + 2 u. y: x *
   * inverse, gain + 1, their product and the sum round once each.
   */
  @ParameterizedTest
  @MethodSource("typesAndWidths")
  void rmsNorm(DType type, int cols) {
    double u = unit(type);
    double inverseBound = (columnSum(type, cols) + 2) / 2 + 2;
    try (Arena arena = Arena.ofConfined()) {
      Tensor gain = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 1);
      Tensor bias = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 2);
      RmsNorm norm = RmsNorm.builder(gain).bias(bias).gainOffset(1).backend(Backend.JAVA).build();
      for (Values values : new Values[] {Values.NORMAL, Values.AROUND_10000}) {
        Tensor x = Tensors.filled(arena, type, ROWS, cols, values, 3);
        Tensor y = Tensor.allocate(arena, type, ROWS, cols);
        Tensor inverse = statistic(arena, type, ROWS, 1);
        norm.forward(x, y, inverse);
        for (int row = 0; row < ROWS; row++) {
          Exact exact = Exact.ofSquares(Tensors.row(x, row), cols, cols, 1e-5, EpsilonMode.INSIDE);
          assertNear(exact.inverse, inverse, row, 0, inverseBound * u * exact.inverse.doubleValue(),
              "inverse RMS");
          for (int col = 0; col < cols; col++) {
            BigDecimal factor = Exact.big(gain.get(0, col)).add(BigDecimal.ONE);
            BigDecimal product = exact.normalized(x.get(row, col)).multiply(factor, Exact.MC);
            BigDecimal sum = product.add(Exact.big(bias.get(0, col)));
            double bound = (inverseBound + 2) * magnitude(product) + magnitude(sum);
            assertNear(sum, y, row, col, bound * u, "y");
          }
        }
      }
    }
  }

  /**
   * Rows whose squares overflow or underflow in f32 are computed in f64 and rounded once: half an
   * ulp, and 2^-20 of it for the roundings before. Without gain, or the result might be subnormal.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 64, 65, 257, 4096})
  void rmsNormOutsideOfTheSafeRange(int cols) {
    try (Arena arena = Arena.ofConfined()) {
      RmsNorm norm = RmsNorm.builder().epsilon(0).backend(Backend.JAVA).build();
      for (Values values : new Values[] {Values.HUGE, Values.TINY}) {
        Tensor x = Tensors.filled(arena, DType.F32, ROWS, cols, values, 4);
        Tensor y = Tensor.allocate(arena, DType.F32, ROWS, cols);
        norm.forward(x, y);
        for (int row = 0; row < ROWS; row++) {
          Exact exact = Exact.ofSquares(Tensors.row(x, row), cols, cols, 0, EpsilonMode.INSIDE);
          for (int col = 0; col < cols; col++) {
            BigDecimal normalized = exact.normalized(x.get(row, col));
            double half = Math.ulp(normalized.floatValue()) / 2.0;
            assertNear(normalized, y, row, col, half * (1 + 0x1p-20) / SECOND_ORDER, "y");
          }
        }
      }
    }
  }

  /**
   * L2-Norm and WeightNorm: no epsilon to add and nothing to divide by, so two roundings less than
   * RMSNorm; y rounds twice.
   */
  @ParameterizedTest
  @MethodSource("typesAndWidths")
  void l2NormAndWeightNorm(DType type, int cols) {
    double u = unit(type);
    double inverseBound = columnSum(type, cols) / 2 + 2;
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, type, ROWS, cols, Values.NORMAL, 5);
      Tensor columnGain = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 6);
      Tensor rowGain = Tensors.filled(arena, type, ROWS, 1, Values.NORMAL, 7);
      Tensor y = Tensor.allocate(arena, type, ROWS, cols);
      Tensor w = Tensor.allocate(arena, type, ROWS, cols);
      L2Norm.builder().gain(columnGain).backend(Backend.JAVA).build().forward(x, y);
      WeightNorm.builder(rowGain).backend(Backend.JAVA).build().forward(x, w);
      for (int row = 0; row < ROWS; row++) {
        Exact exact = Exact.ofSquares(Tensors.row(x, row), cols, 1, 0, EpsilonMode.FLOOR);
        for (int col = 0; col < cols; col++) {
          BigDecimal normalized = exact.normalized(x.get(row, col));
          BigDecimal inY = normalized.multiply(Exact.big(columnGain.get(0, col)), Exact.MC);
          assertNear(inY, y, row, col, (inverseBound + 2) * u * magnitude(inY), "y");
          BigDecimal inW = normalized.multiply(Exact.big(rowGain.get(row, 0)), Exact.MC);
          assertNear(inW, w, row, col, (inverseBound + 2) * u * magnitude(inW), "w");
        }
      }
    }
  }

  /**
   * LayerNorm and BatchNorm: a deviation is (x - base) - offset, base the median of the first, the
   * middle and the last element. Let m be the largest |x - base|. The sum of x - base rounds S
   * times, 1 in each term and 1 in the division, so the offset is off by (S + 2) u m, and a deviation
   * by e = (S + 4) u m with its own two roundings. Then the variance is off by 2 e / sigma + (S + 2) u
   * relatively, the inverse by e / sigma + (S + 2) / 2 u + 2 u.
   */
  private static final class Centred {
    final Exact exact;
    final double deviation;
    final double relative;

    Centred(double[] x, double sum, double u) {
      exact = Exact.ofDeviations(x, 1e-5);
      double[] some = {x[0], x[x.length / 2], x[x.length - 1]};
      Arrays.sort(some);
      double m = Arrays.stream(x).map(v -> Math.abs(v - some[1])).max().getAsDouble();
      deviation = (sum + 4) * u * m;
      relative = deviation * exact.inverse.doubleValue() + ((sum + 2) / 2 + 2) * u;
    }

    void check(Tensor mean, Tensor inverse, long row, long col, double u) {
      double meanBound = deviation + u * magnitude(exact.mean);
      assertNear(exact.mean, mean, row, col, meanBound, "mean");
      assertNear(exact.inverse, inverse, row, col, relative * magnitude(exact.inverse), "inverse");
    }

    void check(double x, double gain, double bias, Tensor y, long row, long col, double u) {
      BigDecimal product = exact.normalized(x).multiply(Exact.big(gain), Exact.MC);
      BigDecimal sum = product.add(Exact.big(bias));
      double scale = exact.inverse.doubleValue() * Math.abs(gain);
      double bound = deviation * scale + (relative + u) * magnitude(product) + u * magnitude(sum);
      assertNear(sum, y, row, col, bound, "y");
    }
  }

  @ParameterizedTest
  @MethodSource("typesAndWidths")
  void layerNorm(DType type, int cols) {
    double u = unit(type);
    try (Arena arena = Arena.ofConfined()) {
      Tensor gain = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 8);
      Tensor bias = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 9);
      LayerNorm norm = LayerNorm.builder(gain).bias(bias).backend(Backend.JAVA).build();
      for (Values values : new Values[] {Values.NORMAL, Values.AROUND_10000}) {
        Tensor x = Tensors.filled(arena, type, ROWS, cols, values, 10);
        Tensor y = Tensor.allocate(arena, type, ROWS, cols);
        Tensor mean = statistic(arena, type, ROWS, 1);
        Tensor inverse = statistic(arena, type, ROWS, 1);
        norm.forward(x, y, mean, inverse);
        for (int row = 0; row < ROWS; row++) {
          Centred centred = new Centred(Tensors.row(x, row), columnSum(type, cols), u);
          centred.check(mean, inverse, row, 0, u);
          for (int col = 0; col < cols; col++) {
            centred.check(x.get(row, col), gain.get(0, col), bias.get(0, col), y, row, col, u);
          }
        }
      }
    }
  }

  /**
   * An outlier M, wherever it is, costs the others next to nothing: let m be the largest |x - base|
   * of these. Only the lane that meets M rounds by u M, at most n / 64 + 6 times with the fold; so
   * the offset is off by ((n / 64 + 6) u M + n (S + 2) u m) / n, and u M / n by the division. Their
   * inverse is that of M alone, nearly.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 7, 2048, 4095})
  void layerNormWithAnOutlier(int where) {
    int cols = 4096;
    double outlier = 1e5;
    double u = unit(DType.F32);
    double sum = columnSum(DType.F32, cols);
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, DType.F32, 1, cols, Values.NORMAL, 14);
      x.set(0, where, outlier);
      Tensor y = Tensor.allocate(arena, DType.F32, 1, cols);
      LayerNorm.builder().backend(Backend.JAVA).build().forward(x, y);
      Exact exact = Exact.ofDeviations(Tensors.row(x, 0), 1e-5);
      double others = 0;
      for (int col = 0; col < cols; col++) {
        others = Math.max(others, col == where ? 0 : Math.abs(x.get(0, col)));
      }
      double deviation = (sum + 1) * u * outlier / cols
          + (sum + 4) * u * (2 * others + outlier / cols);
      for (int col = 0; col < cols; col++) {
        BigDecimal normalized = exact.normalized(x.get(0, col));
        double bound = (col == where ? 2 * outlier * u : deviation) * exact.inverse.doubleValue()
            + (sum / 2 + 4) * u * magnitude(normalized);
        assertNear(normalized, y, 0, col, bound, "y");
      }
    }
  }

  static Stream<Object[]> typesAndHeights() {
    return Stream.of(DType.F32, DType.F64, DType.F16, DType.BF16)
        .flatMap(type -> Stream.of(2, 15, 16, 17, 33, 1000).map(rows -> new Object[] {type, rows}));
  }

  @ParameterizedTest
  @MethodSource("typesAndHeights")
  void batchNorm(DType type, int rows) {
    double u = unit(type);
    int cols = 5;
    try (Arena arena = Arena.ofConfined()) {
      Tensor gain = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 11);
      Tensor bias = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 12);
      BatchNorm norm = BatchNorm.builder(gain).bias(bias).backend(Backend.JAVA).build();
      for (Values values : new Values[] {Values.NORMAL, Values.AROUND_10000}) {
        Tensor x = Tensors.filled(arena, type, rows, cols, values, 13);
        Tensor y = Tensor.allocate(arena, type, rows, cols);
        Tensor mean = statistic(arena, type, 1, cols);
        Tensor inverse = statistic(arena, type, 1, cols);
        norm.trainingForward(x, y, mean, null, inverse);
        for (int col = 0; col < cols; col++) {
          Centred centred = new Centred(Tensors.column(x, col), rowSum(rows), u);
          centred.check(mean, inverse, 0, col, u);
          for (int row = 0; row < rows; row++) {
            centred.check(x.get(row, col), gain.get(0, col), bias.get(0, col), y, row, col, u);
          }
        }
      }
    }
  }

  /**
   * dx, the statistics taken as given: with u = dy * gain of 2 roundings (the offset's one), xhat of
   * 2 (RMSNorm: 1), sum(u * xhat) of S + 4 and its share of 1 + S + 4, xhat times that 2 more, the
   * difference and the last product 1 each: S + 9, times the magnitudes of the terms. dGain: the
   * sum over rows, and 2 of xhat; dBias: the sum over rows.
   */
  @ParameterizedTest
  @MethodSource("typesAndWidths")
  void gradientsOverRows(DType type, int cols) {
    double u = unit(type);
    int rows = cols > 127 ? 3 : 19; // two blocks of rows, while that takes no time
    double bound = (columnSum(type, cols) + 9) * u;
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, type, rows, cols, Values.NORMAL, 14);
      Tensor dy = Tensors.filled(arena, type, rows, cols, Values.NORMAL, 15);
      Tensor gain = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 16);
      Tensor y = Tensor.allocate(arena, type, rows, cols);
      Tensor dx = Tensor.allocate(arena, type, rows, cols);
      Tensor dGain = statistic(arena, type, 1, cols);
      Tensor dBias = statistic(arena, type, 1, cols);
      Tensor mean = statistic(arena, type, rows, 1);
      Tensor inverse = statistic(arena, type, rows, 1);
      for (boolean centred : new boolean[] {false, true}) {
        int k = centred ? cols : (cols + 1) / 2;
        if (centred) {
          LayerNorm norm = LayerNorm.builder(gain).backend(Backend.JAVA).build();
          norm.forward(x, y, mean, inverse);
          norm.backward(dy, x, mean, inverse, dx, dGain, dBias);
        } else {
          RmsNorm norm = RmsNorm.builder(gain).partialWidth(k).backend(Backend.JAVA).build();
          norm.forward(x, y, inverse);
          norm.backward(dy, x, inverse, dx, dGain, dBias);
        }
        Sums sums = new Sums(cols);
        for (int row = 0; row < rows; row++) {
          Exact exact = Exact.given(mean.get(row, 0), inverse.get(row, 0));
          Exact.Gradient gradient = exact.backward(Tensors.row(dy, row), Tensors.row(x, row),
              Tensors.row(gain, 0), k, k, centred);
          for (int col = 0; col < cols; col++) {
            assertNear(gradient.dx()[col], dx, row, col, bound * gradient.terms()[col], "dx");
            sums.add(col, dy.get(row, col), exact.normalized(x.get(row, col)));
          }
        }
        sums.check(dGain, dBias, rowSum(rows), u);
      }
    }
  }

  /** As above, with a column for a row, and gain * inverse rounded once. */
  @ParameterizedTest
  @MethodSource("typesAndHeights")
  void gradientsOfBatchNorm(DType type, int rows) {
    double u = unit(type);
    int cols = 5;
    double bound = (rowSum(rows) + 9) * u;
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, type, rows, cols, Values.NORMAL, 17);
      Tensor dy = Tensors.filled(arena, type, rows, cols, Values.NORMAL, 18);
      Tensor gain = Tensors.filled(arena, type, 1, cols, Values.NORMAL, 19);
      Tensor y = Tensor.allocate(arena, type, rows, cols);
      Tensor dx = Tensor.allocate(arena, type, rows, cols);
      Tensor mean = statistic(arena, type, 1, cols);
      Tensor inverse = statistic(arena, type, 1, cols);
      Tensor dGain = statistic(arena, type, 1, cols);
      Tensor dBias = statistic(arena, type, 1, cols);
      BatchNorm norm = BatchNorm.builder(gain).backend(Backend.JAVA).build();
      norm.trainingForward(x, y, mean, null, inverse);
      norm.backward(dy, x, mean, inverse, dx, dGain, dBias);
      Sums sums = new Sums(cols);
      for (int col = 0; col < cols; col++) {
        Exact exact = Exact.given(mean.get(0, col), inverse.get(0, col));
        double[] factors = new double[rows];
        Arrays.fill(factors, gain.get(0, col));
        Exact.Gradient gradient = exact.backward(Tensors.column(dy, col), Tensors.column(x, col),
            factors, rows, rows, true);
        for (int row = 0; row < rows; row++) {
          assertNear(gradient.dx()[row], dx, row, col, bound * gradient.terms()[row], "dx");
          sums.add(col, dy.get(row, col), exact.normalized(x.get(row, col)));
        }
      }
      sums.check(dGain, dBias, rowSum(rows), u);
    }
  }

  /** dGain and dBias, and the magnitudes of their terms. */
  private static final class Sums {
    private final BigDecimal[] dGain;
    private final BigDecimal[] dBias;
    private final double[] gainTerms;
    private final double[] biasTerms;

    Sums(int cols) {
      dGain = new BigDecimal[cols];
      dBias = new BigDecimal[cols];
      Arrays.fill(dGain, BigDecimal.ZERO);
      Arrays.fill(dBias, BigDecimal.ZERO);
      gainTerms = new double[cols];
      biasTerms = new double[cols];
    }

    void add(int col, double dy, BigDecimal xhat) {
      BigDecimal product = Exact.big(dy).multiply(xhat, Exact.MC);
      dGain[col] = dGain[col].add(product, Exact.MC);
      dBias[col] = dBias[col].add(Exact.big(dy), Exact.MC);
      gainTerms[col] += magnitude(product);
      biasTerms[col] += Math.abs(dy);
    }

    void check(Tensor actualGain, Tensor actualBias, double sum, double u) {
      for (int col = 0; col < dGain.length; col++) {
        assertNear(dGain[col], actualGain, 0, col, (sum + 2) * u * gainTerms[col], "dGain");
        assertNear(dBias[col], actualBias, 0, col, sum * u * biasTerms[col], "dBias");
      }
    }
  }

  /**
   * The gradients of a gain per row, of WeightNorm, are a sum over columns of one row.
   */
  @ParameterizedTest
  @MethodSource("typesAndWidths")
  void gradientsOfWeightNorm(DType type, int cols) {
    double u = unit(type);
    double sum = columnSum(type, cols);
    try (Arena arena = Arena.ofConfined()) {
      Tensor v = Tensors.filled(arena, type, ROWS, cols, Values.NORMAL, 20);
      Tensor dw = Tensors.filled(arena, type, ROWS, cols, Values.NORMAL, 21);
      Tensor gain = Tensors.filled(arena, type, ROWS, 1, Values.NORMAL, 22);
      Tensor w = Tensor.allocate(arena, type, ROWS, cols);
      Tensor dv = Tensor.allocate(arena, type, ROWS, cols);
      Tensor inverse = statistic(arena, type, ROWS, 1);
      Tensor dGain = statistic(arena, type, ROWS, 1);
      WeightNorm norm = WeightNorm.builder(gain).backend(Backend.JAVA).build();
      norm.forward(v, w, inverse);
      norm.backward(dw, v, inverse, dv, dGain);
      for (int row = 0; row < ROWS; row++) {
        Exact exact = Exact.given(0, inverse.get(row, 0));
        double[] factors = new double[cols];
        Arrays.fill(factors, gain.get(row, 0));
        Exact.Gradient gradient = exact.backward(Tensors.row(dw, row), Tensors.row(v, row), factors,
            cols, 1, false);
        BigDecimal exactSum = BigDecimal.ZERO;
        double terms = 0;
        for (int col = 0; col < cols; col++) {
          assertNear(gradient.dx()[col], dv, row, col, (sum + 9) * u * gradient.terms()[col], "dv");
          BigDecimal product = exact.normalized(v.get(row, col))
              .multiply(Exact.big(dw.get(row, col)), Exact.MC);
          exactSum = exactSum.add(product, Exact.MC);
          terms += magnitude(product);
        }
        // Two roundings more to add the row's sum to a block and the block to the total.
        assertNear(exactSum, dGain, row, 0, (sum + 3) * u * terms, "dGain");
      }
    }
  }

  /**
   * silu(z) = z / (1 + t), t = exp(-|z|) (times z below 0): the reduced argument is off by u of
   * itself at most, the polynomial by 0.1 u for its degree and 2 u for its roundings, so t by 3 u;
   * the product with z, the sum and the division round once each, and twice t's error may show: 9 u
   * in all, and one more in the product with y.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 64, 257})
  void gate(int cols) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, ROWS, cols, 23);
      Tensor gate = Tensors.normal(arena, ROWS, cols, 24);
      for (int col = 0; col < cols; col++) {
        gate.set(0, col, 10 * gate.get(0, col));
      }
      Tensor plain = Tensor.allocate(arena, DType.F32, ROWS, cols);
      Tensor y = Tensor.allocate(arena, DType.F32, ROWS, cols);
      RmsNorm norm = RmsNorm.builder().backend(Backend.JAVA).build();
      norm.forward(x, plain);
      norm.gatedForward(x, gate, y);
      for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < cols; col++) {
          double z = gate.get(row, col);
          double exact = plain.get(row, col) * (z / (1 + Math.exp(-z)));
          assertNear(Exact.big(exact), y, row, col, 10 * 0x1p-24 * Math.abs(exact), "y");
        }
      }
    }
  }

  /**
   * int8: y / scale is off by the error of y and the roundings of the factor 127 / max and of the
   * product, before the last rounding of a half: with |y| / scale at most 127, a half and 127 times
   * those. The scale is as exact as the largest y, and a division.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 64, 257, 4096})
  void quantized(int cols) {
    double u = 0x1p-24;
    double yBound = (columnSum(DType.F32, cols) + 2) / 2 + 3;
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, ROWS, cols, 25);
      Tensor y = Tensor.allocate(arena, DType.I8, ROWS, cols);
      Tensor scale = Tensor.allocate(arena, DType.F32, ROWS, 1);
      RmsNorm.builder().backend(Backend.JAVA).build().quantizedForward(x, y, scale);
      for (int row = 0; row < ROWS; row++) {
        double[] values = Tensors.row(x, row);
        Exact exact = Exact.ofSquares(values, cols, cols, 1e-5, EpsilonMode.INSIDE);
        double largest = Arrays.stream(values).map(Math::abs).max().getAsDouble();
        BigDecimal exactScale = exact.normalized(largest).divide(Exact.big(127), Exact.MC);
        assertNear(exactScale, scale, row, 0, (yBound + 1) * u * magnitude(exactScale), "scale");
        for (int col = 0; col < cols; col++) {
          BigDecimal quotient = exact.normalized(values[col]).divide(exactScale, Exact.MC);
          assertNear(quotient, y, row, col, 0.5 + 127 * (2 * yBound + 2) * u, "y");
        }
      }
    }
  }

  /**
   * What the bounds above allow in the worst case never comes near: over these rows, the same on
   * every machine, results without a bias are within 2.5 ulp. A change that loses digits without
   * breaking a proof (another order of summation, a square rounded before it is added) shows here.
   */
  @ParameterizedTest
  @ValueSource(ints = {64, 384, 1024, 4096, 12_288})
  void fewUlpsInPractice(int cols) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, 8, cols, 8);
      Tensor y = Tensor.allocate(arena, DType.F32, 8, cols);
      RmsNorm.builder().backend(Backend.JAVA).build().forward(x, y);
      double worst = 0;
      for (int row = 0; row < 8; row++) {
        Exact exact = Exact.ofSquares(Tensors.row(x, row), cols, cols, 1e-5, EpsilonMode.INSIDE);
        for (int col = 0; col < cols; col++) {
          double wanted = exact.normalized(x.get(row, col)).doubleValue();
          worst = Math.max(worst, Math.abs(y.get(row, col) - wanted) / Math.ulp((float) wanted));
        }
      }
      assertTrue(worst < 2.5, "worst error is " + worst + " ulp");
    }
  }

  private static double magnitude(BigDecimal value) {
    return Math.abs(value.doubleValue());
  }

  private static Tensor statistic(Arena arena, DType x, long rows, long cols) {
    return Tensor.allocate(arena, Draw.statisticType(x), rows, cols);
  }
}
