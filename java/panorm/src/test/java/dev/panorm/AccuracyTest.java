package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The Java kernels, which all others equal bit for bit, against plain formulas in {@code double},
 * whose own error (some n 2^-53) does not count here.
 *
 * <p>With u = 2^-24, one rounding in f32, the bounds to first order are these. Of n columns a lane
 * meets L = ceil(n / 64), by as many roundings; folding the lanes takes 6, the division by n 1,
 * adding epsilon 1: the radicand is off by (L + 8) u at most. The root halves that and rounds, the
 * reciprocal rounds: inverse, (L + 8) / 2 u + 2 u. Each product rounds once more.
 */
class AccuracyTest {
  private static final double U = 0x1p-24;

  /** Terms of second order are below n u times those of first order. */
  private static final double SECOND_ORDER = 1.01;

  private static double lanes(int cols) {
    return Math.ceil(cols / 64.0);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 63, 64, 65, 127, 257, 1009, 4096, 12_288})
  void rmsNorm(int cols) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor gain = Tensors.normal(arena, 1, cols, 1);
      Tensor bias = Tensors.normal(arena, 1, cols, 2);
      RmsNorm norm = RmsNorm.builder(gain).bias(bias).gainOffset(1).backend(Backend.JAVA).build();
      double inverseBound = (lanes(cols) + 8) / 2 + 2;
      for (Values values : new Values[] {Values.NORMAL, Values.AROUND_10000}) {
        Tensor x = Tensors.filled(arena, DType.F32, 4, cols, values, 3);
        Tensor y = Tensor.allocate(arena, DType.F32, 4, cols);
        Tensor inverse = Tensor.allocate(arena, DType.F32, 4, 1);
        norm.forward(x, y, inverse);
        for (int row = 0; row < 4; row++) {
          double exact = inverseRms(x, row, 1e-5);
          assertNear(exact, inverse.get(row, 0), SECOND_ORDER * inverseBound * U * exact);
          for (int col = 0; col < cols; col++) {
            double product = x.get(row, col) * exact * (1 + gain.get(0, col));
            double sum = product + bias.get(0, col);
            // Two roundings more, of x * inverse and of gain + 1, and that of the sum.
            double bound = (inverseBound + 2) * U * Math.abs(product) + U * Math.abs(sum);
            assertNear(sum, y.get(row, col), SECOND_ORDER * bound);
          }
        }
      }
    }
  }

  /**
   * Rows whose squares overflow or underflow are computed in f64 and rounded once: half an ulp, and
   * 2^-40 of it for the roundings before. Without gain, or the result might be subnormal.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 64, 65, 257, 4096})
  void rmsNormOutsideOfTheSafeRange(int cols) {
    try (Arena arena = Arena.ofConfined()) {
      RmsNorm norm = RmsNorm.builder().epsilon(0).backend(Backend.JAVA).build();
      for (Values values : new Values[] {Values.HUGE, Values.TINY}) {
        Tensor x = Tensors.filled(arena, DType.F32, 4, cols, values, 4);
        Tensor y = Tensor.allocate(arena, DType.F32, 4, cols);
        norm.forward(x, y);
        for (int row = 0; row < 4; row++) {
          double inverse = inverseRms(x, row, 0);
          for (int col = 0; col < cols; col++) {
            double exact = x.get(row, col) * inverse;
            double half = Math.ulp((float) exact) / 2.0;
            assertNear(exact, y.get(row, col), half * (1 + 0x1p-20));
          }
        }
      }
    }
  }

  private static double inverseRms(Tensor x, int row, double epsilon) {
    double sum = 0;
    for (int col = 0; col < x.cols(); col++) {
      sum += x.get(row, col) * x.get(row, col);
    }
    return 1 / Math.sqrt(sum / x.cols() + epsilon);
  }

  /**
   * A deviation is (x - base) - offset, base the row's first element. Let m be the largest |x -
   * base|. The sum of x - base rounds L times in a lane, 6 in the fold, 1 in each term and 1 in the
   * division, so the offset is off by (L + 8) u m, and a deviation by e = (L + 10) u m with its own
   * two roundings. Then the variance is off by 2 e / sigma + (L + 8) u relatively, the inverse by
   * e / sigma + (L + 8) / 2 u + 2 u.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 63, 64, 65, 127, 257, 1009, 4096, 12_288})
  void layerNorm(int cols) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor gain = Tensors.normal(arena, 1, cols, 5);
      Tensor bias = Tensors.normal(arena, 1, cols, 6);
      LayerNorm norm = LayerNorm.builder(gain).bias(bias).backend(Backend.JAVA).build();
      for (Values values : new Values[] {Values.NORMAL, Values.AROUND_10000}) {
        Tensor x = Tensors.filled(arena, DType.F32, 4, cols, values, 7);
        Tensor y = Tensor.allocate(arena, DType.F32, 4, cols);
        Tensor mean = Tensor.allocate(arena, DType.F32, 4, 1);
        Tensor inverse = Tensor.allocate(arena, DType.F32, 4, 1);
        norm.forward(x, y, mean, inverse);
        for (int row = 0; row < 4; row++) {
          Moments exact = Moments.of(x, row);
          double deviation = (lanes(cols) + 10) * U * exact.largest;
          double exactInverse = 1 / Math.sqrt(exact.variance + 1e-5);
          double relative = deviation * exactInverse + ((lanes(cols) + 8) / 2 + 2) * U;
          assertNear(exact.mean, mean.get(row, 0), deviation + U * Math.abs(exact.mean));
          assertNear(exactInverse, inverse.get(row, 0), SECOND_ORDER * relative * exactInverse);
          for (int col = 0; col < cols; col++) {
            double scale = exactInverse * gain.get(0, col);
            double product = (x.get(row, col) - exact.mean) * scale;
            double sum = product + bias.get(0, col);
            double bound = deviation * Math.abs(scale) + (relative + U) * Math.abs(product)
                + U * Math.abs(sum);
            assertNear(sum, y.get(row, col), SECOND_ORDER * bound);
          }
        }
      }
    }
  }

  private record Moments(double mean, double variance, double largest) {
    static Moments of(Tensor x, int row) {
      double base = x.get(row, 0);
      double largest = 0;
      double sum = 0;
      for (int col = 0; col < x.cols(); col++) {
        sum += x.get(row, col) - base;
        largest = Math.max(largest, Math.abs(x.get(row, col) - base));
      }
      double offset = sum / x.cols();
      double squares = 0;
      for (int col = 0; col < x.cols(); col++) {
        double d = x.get(row, col) - base - offset;
        squares += d * d;
      }
      return new Moments(base + offset, squares / x.cols(), largest);
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
        double inverse = inverseRms(x, row, 1e-5);
        for (int col = 0; col < cols; col++) {
          double exact = x.get(row, col) * inverse;
          worst = Math.max(worst, Math.abs(y.get(row, col) - exact) / Math.ulp((float) exact));
        }
      }
      assertTrue(worst < 2.5, "worst error is " + worst + " ulp");
    }
  }

  private static void assertNear(double exact, double actual, double bound) {
    assertEquals(exact, actual, bound);
  }
}
