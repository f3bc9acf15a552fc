package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold between the results of different calls, without a reference. */
@ParameterizedClass
@MethodSource("dev.panorm.Panorm#availableBackends")
class PropertiesTest {
  @Parameter
  Backend backend;

  private static final int ROWS = 3;
  private static final int COLS = 131;

  private RmsNorm rms(double epsilon) {
    return RmsNorm.builder().epsilon(epsilon).backend(backend).build();
  }

  /**
   * A power of two changes no significand, so the bits stay as long as no square overflows or loses
   * digits in f32: elements here are between 2^-20 and 2^3.
   */
  @ParameterizedTest
  @ValueSource(ints = {-25, -10, -1, 1, 10, 55})
  void scalingByPowerOfTwoKeepsTheBits(int exponent) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, ROWS, COLS, 1);
      assertSameWhenScaled(arena, x, exponent);
    }
  }

  /** The same among rows that are computed in f64: of squares that overflow, and that underflow. */
  @ParameterizedTest
  @CsvSource({"100, 15", "100, -20", "-110, 20", "-90, -10"})
  void scalingOutsideOfTheSafeRangeKeepsTheBits(int from, int exponent) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < COLS; col++) {
          // Significands of 9 bits, so that no scaling rounds, not even to subnormals.
          x.set(row, col, Math.scalb((37 * col + row) % 511 - 255, from - 8));
        }
      }
      assertSameWhenScaled(arena, x, exponent);
    }
  }

  private void assertSameWhenScaled(Arena arena, Tensor x, int exponent) {
    Tensor scaled = scale(arena, x, Math.scalb(1.0, exponent));
    Tensor y = Tensor.allocate(arena, DType.F32, ROWS, COLS);
    Tensor yScaled = Tensor.allocate(arena, DType.F32, ROWS, COLS);
    Tensor inverse = Tensor.allocate(arena, DType.F32, ROWS, 1);
    Tensor inverseScaled = Tensor.allocate(arena, DType.F32, ROWS, 1);
    rms(0).forward(x, y, inverse);
    rms(0).forward(scaled, yScaled, inverseScaled);
    Tensors.assertSameBits(y, yScaled, "y");
    Tensors.assertSameBits(inverse, scale(arena, inverseScaled, Math.scalb(1.0, exponent)),
        "inverse RMS");
  }

  private static Tensor scale(Arena arena, Tensor x, double factor) {
    Tensor scaled = Tensor.allocate(arena, x.type(), x.rows(), x.cols());
    for (long row = 0; row < x.rows(); row++) {
      for (long col = 0; col < x.cols(); col++) {
        scaled.set(row, col, x.get(row, col) * factor);
      }
    }
    return scaled;
  }

  /**
   * Across the border between f32 and f64 the results are those of different roundings: y is off by
   * at most 8.5 units of 2^-24 on the f32 side (see AccuracyTest, 131 columns) and 1 on the other.
   */
  @ParameterizedTest
  @ValueSource(ints = {-120, -100, -50, 64, 100, 120})
  void anyScalingKeepsTheValues(int exponent) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.allocate(arena, DType.F32, 1, COLS);
      for (int col = 0; col < COLS; col++) {
        x.set(0, col, (37 * col % 511 - 255) / 256.0);
      }
      Tensor y = Tensor.allocate(arena, DType.F32, 1, COLS);
      Tensor yScaled = Tensor.allocate(arena, DType.F32, 1, COLS);
      rms(0).forward(x, y);
      rms(0).forward(scale(arena, x, Math.scalb(1.0, exponent)), yScaled);
      for (int col = 0; col < COLS; col++) {
        assertEquals(y.get(0, col), yScaled.get(0, col), 9.5 * 0x1p-24 * Math.abs(y.get(0, col)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void partialOverAllColumnsIsRmsNorm(Values values) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, DType.F32, ROWS, COLS, values, 2);
      Tensor gain = Tensors.normal(arena, 1, COLS, 3);
      Tensor full = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      RmsNorm.builder(gain).backend(backend).build().forward(x, full);
      for (RmsNorm partial : List.of(RmsNorm.builder(gain).partial(1).backend(backend).build(),
          RmsNorm.builder(gain).partialWidth(COLS).backend(backend).build())) {
        Tensor y = Tensor.allocate(arena, DType.F32, ROWS, COLS);
        partial.forward(x, y);
        Tensors.assertSameBits(full, y, "k = n");
      }
    }
  }

  /** k = ceil(n p), and the columns behind the first k have no say in the RMS. */
  @ParameterizedTest
  @CsvSource({"0.0625, 9", "0.5, 66", "0.001, 1", "0.99, 130", "0.9999, 131"})
  void partialShareIsRoundedUp(double p, int k) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, ROWS, COLS, 4);
      Tensor byShare = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      Tensor byWidth = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      RmsNorm.builder().partial(p).backend(backend).build().forward(x, byShare);
      RmsNorm.builder().partialWidth(k).backend(backend).build().forward(x, byWidth);
      Tensors.assertSameBits(byWidth, byShare, "p = " + p);

      Tensor inverse = Tensor.allocate(arena, DType.F32, ROWS, 1);
      Tensor inverseOfFirst = Tensor.allocate(arena, DType.F32, ROWS, 1);
      RmsNorm.builder().partialWidth(k).backend(backend).build().forward(x, byWidth, inverse);
      Tensor first = Tensor.allocate(arena, DType.F32, ROWS, k);
      rms(1e-5).forward(x.columns(0, k), first, inverseOfFirst);
      Tensors.assertSameBits(inverseOfFirst, inverse, "inverse RMS");
      Tensors.assertSameBits(first, byWidth.columns(0, k), "first k columns");
    }
  }

  @ParameterizedTest
  @CsvSource({"0.0625, 8", "0.5, 65", "0.001, 1", "0.9999, 130", "1, 131"})
  void partialShareOfThePublishedCodeIsRoundedDown(double p, int k) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, ROWS, COLS, 4);
      Tensor byShare = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      Tensor byWidth = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      RmsNorm.builder().partialFloor(p).backend(backend).build().forward(x, byShare);
      RmsNorm.builder().partialWidth(k).backend(backend).build().forward(x, byWidth);
      Tensors.assertSameBits(byWidth, byShare, "p = " + p);
    }
  }

  /** With a divisor of its own, a row padded by zeros is the row without them. */
  @Test
  void divisorOfPaddedRows() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor padded = Tensors.normal(arena, ROWS, COLS, 5);
      int cols = 100;
      for (int row = 0; row < ROWS; row++) {
        padded.row(row).columns(cols, COLS - cols).segment().fill((byte) 0);
      }
      Tensor y = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      RmsNorm.builder().divisor(cols).backend(backend).build().forward(padded, y);
      Tensor expected = Tensor.allocate(arena, DType.F32, ROWS, cols);
      rms(1e-5).forward(padded.columns(0, cols), expected);
      Tensors.assertSameBits(expected, y.columns(0, cols), "y");
    }
  }

  /** L2-Norm is RMSNorm with a divisor of 1, and its rows have length 1. */
  @Test
  void l2NormIsRmsNormWithDivisor1() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, ROWS, COLS, 6);
      Tensor expected = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      Tensor y = Tensor.allocate(arena, DType.F32, ROWS, COLS);
      RmsNorm.builder().divisor(1).epsilon(0).backend(backend).build().forward(x, expected);
      L2Norm.builder().backend(backend).build().forward(x, y);
      Tensors.assertSameBits(expected, y, "y");
      for (int row = 0; row < ROWS; row++) {
        double squares = 0;
        for (double value : Tensors.row(y, row)) {
          squares += value * value;
        }
        assertEquals(1, squares, 2 * 9.5 * 0x1p-24); // twice the bound of an element (AccuracyTest)
      }
    }
  }

  /** A row shorter than epsilon is divided by epsilon, and zeros stay zeros. */
  @Test
  void l2NormOfShortRows() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.allocate(arena, DType.F32, 2, 3);
      x.set(0, 1, 0x1p-10);
      Tensor y = Tensor.allocate(arena, DType.F32, 2, 3);
      L2Norm.builder().epsilon(0x1p-8).backend(backend).build().forward(x, y);
      assertEquals(0x1p-2, y.get(0, 1));
      assertEquals(0, y.get(0, 0));
      assertEquals(0, y.get(1, 1));
    }
  }

  /** running = (1 - momentum) running + momentum batch, the variance by rows - 1. */
  @Test
  void batchNormMovesRunningAverages() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.allocate(arena, DType.F64, 4, 1);
      for (int row = 0; row < 4; row++) {
        x.set(row, 0, 2 * row); // mean 3, variance 5, unbiased 20 / 3
      }
      Tensor y = Tensor.allocate(arena, DType.F64, 4, 1);
      Tensor[] saved = new Tensor[3];
      Arrays.setAll(saved, i -> Tensor.allocate(arena, DType.F64, 1, 1));
      Tensor runningMean = Tensor.ofArray(1.0);
      Tensor runningVariance = Tensor.ofArray(1.0);
      BatchNorm.builder()
          .momentum(0.25)
          .backend(backend)
          .build()
          .trainingForward(x, y, saved[0], saved[1], saved[2], runningMean, runningVariance);
      assertEquals(3, saved[0].get(0, 0));
      assertEquals(5, saved[1].get(0, 0));
      assertEquals(0.75 + 0.25 * 3, runningMean.get(0, 0));
      assertEquals(0.75 + 0.25 * 20 / 3, runningVariance.get(0, 0), 0x1p-51); // an ulp
    }
  }

  /** In inference the statistics of training give the same rows, but for the last digits. */
  @Test
  void batchNormInferenceWithTheStatisticsOfTraining() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, 40, COLS, 14);
      Tensor training = Tensor.allocate(arena, DType.F32, 40, COLS);
      Tensor inference = Tensor.allocate(arena, DType.F32, 40, COLS);
      Tensor mean = Tensor.allocate(arena, DType.F32, 1, COLS);
      Tensor variance = Tensor.allocate(arena, DType.F32, 1, COLS);
      Tensor inverse = Tensor.allocate(arena, DType.F32, 1, COLS);
      BatchNorm norm = BatchNorm.builder().backend(backend).build();
      norm.trainingForward(x, training, mean, variance, inverse);
      norm.forward(x, inference, mean, variance);
      for (int row = 0; row < 40; row++) {
        for (int col = 0; col < COLS; col++) {
          // Inference rounds the mean, training x - x[0] (below 8), each by 2^-24 of itself; both
          // round the deviation and its product with the inverse.
          double wanted = training.get(row, col);
          double bound = 0x1p-24
              * (4 * Math.abs(wanted) + (Math.abs(mean.get(0, col)) + 8) * inverse.get(0, col));
          assertEquals(wanted, inference.get(row, col), bound);
        }
      }
    }
  }

  /** Row i alone gives what row i gives in any batch, at any stride. */
  @ParameterizedTest
  @EnumSource
  void rowsAreIndependent(Values values) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor wide = Tensors.filled(arena, DType.F32, 11, COLS + 6, values, 8);
      Tensor x = wide.columns(3, COLS);
      Tensor gain = Tensors.normal(arena, 1, COLS, 9);
      Tensor bias = Tensors.normal(arena, 1, COLS, 10);
      RmsNorm rms = RmsNorm.builder(gain).bias(bias).backend(backend).build();
      LayerNorm layer = LayerNorm.builder(gain).bias(bias).backend(backend).build();
      Tensor rmsBatch = Tensor.allocate(arena, DType.F32, 11, COLS);
      Tensor layerBatch = Tensor.allocate(arena, DType.F32, 11, COLS);
      rms.forward(x, rmsBatch);
      layer.forward(x, layerBatch);
      Tensor alone = Tensor.allocate(arena, DType.F32, 1, COLS);
      for (int row = 0; row < 11; row++) {
        rms.forward(x.row(row), alone);
        Tensors.assertSameBits(alone, rmsBatch.row(row), "RMSNorm, row " + row);
        layer.forward(x.row(row), alone);
        Tensors.assertSameBits(alone, layerBatch.row(row), "LayerNorm, row " + row);
      }
    }
  }

  /** A NaN in one row is NaN in all of that row, and nowhere else. */
  @Test
  void nanStaysInItsRow() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, 5, COLS, 11);
      x.set(2, 70, Double.NaN);
      Tensor y = Tensor.allocate(arena, DType.F32, 5, COLS);
      RmsNorm.builder().backend(backend).build().forward(x, y);
      assertNanInRow(y, 2);
      LayerNorm.builder().backend(backend).build().forward(x, y);
      assertNanInRow(y, 2);
    }
  }

  private static void assertNanInRow(Tensor y, int nanRow) {
    for (int row = 0; row < y.rows(); row++) {
      for (int col = 0; col < y.cols(); col++) {
        assertEquals(row == nanRow, Double.isNaN(y.get(row, col)), row + ", " + col);
      }
    }
  }

  /** As documented: RMSNorm of an infinite element is NaN, of the finite ones 0. */
  @Test
  void infinities() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, 1, COLS, 12);
      x.set(0, 5, Double.NEGATIVE_INFINITY);
      Tensor y = Tensor.allocate(arena, DType.F32, 1, COLS);
      RmsNorm.builder().backend(backend).build().forward(x, y);
      for (int col = 0; col < COLS; col++) {
        assertEquals(col == 5 ? Double.NaN : 0, Math.abs(y.get(0, col)), "column " + col);
      }
      LayerNorm.builder().backend(backend).build().forward(x, y);
      for (int col = 0; col < COLS; col++) {
        assertTrue(Double.isNaN(y.get(0, col)), "column " + col);
      }
    }
  }

  /** Zeros stay zeros with their signs; without an epsilon they are 0 / 0. */
  @Test
  void zeros() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, DType.F32, 1, COLS, Values.ALL_ZERO, 13);
      Tensor y = Tensor.allocate(arena, DType.F32, 1, COLS);
      rms(1e-5).forward(x, y);
      Tensors.assertSameBits(x, y, "zeros");
      rms(0).forward(x, y);
      for (int col = 0; col < COLS; col++) {
        assertTrue(Double.isNaN(y.get(0, col)), "column " + col);
      }
    }
  }

  /** LayerNorm takes away any constant: here one that changes no digit of the deviations. */
  @ParameterizedTest
  @ValueSource(doubles = {-4096, 1, 10_000, 8_000_000})
  void layerNormIgnoresAShift(double shift) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.allocate(arena, DType.F32, 1, COLS);
      Tensor shifted = Tensor.allocate(arena, DType.F32, 1, COLS);
      for (int col = 0; col < COLS; col++) {
        double deviation = 37 * col % 64 - 32;
        x.set(0, col, deviation);
        shifted.set(0, col, deviation + shift);
      }
      Tensor y = Tensor.allocate(arena, DType.F32, 1, COLS);
      Tensor yShifted = Tensor.allocate(arena, DType.F32, 1, COLS);
      LayerNorm norm = LayerNorm.builder().backend(backend).build();
      norm.forward(x, y);
      norm.forward(shifted, yShifted);
      Tensors.assertSameBits(y, yShifted, "y");
    }
  }
}
