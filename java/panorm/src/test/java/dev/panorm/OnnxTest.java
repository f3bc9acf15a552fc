package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The operators LayerNormalization and RMSNormalization of ONNX (opset 23) by this library: axes from
 * {@code axis} on are the columns, those before it the rows; Mean and InvStdDev are the statistics,
 * one a row; Scale and B, which broadcast to the normalized axes, are expanded to them.
 */
class OnnxTest {
  private static final int[] SHAPE = {2, 3, 4, 5};
  private static final int SIZE = 120;

  /** The specification, read literally, in double precision. */
  private record Reference(double[] y, double[] mean, double[] inverse) {
    static Reference of(Tensor x, double[] scale, double[] bias, double epsilon, boolean centred) {
      int rows = (int) x.rows();
      int cols = (int) x.cols();
      Reference r = new Reference(new double[rows * cols], new double[rows], new double[rows]);
      for (int row = 0; row < rows; row++) {
        double[] values = Tensors.row(x, row);
        double mean = centred ? Arrays.stream(values).average().getAsDouble() : 0;
        double square = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / cols;
        r.mean[row] = mean;
        r.inverse[row] = 1 / Math.sqrt(square + epsilon);
        for (int col = 0; col < cols; col++) {
          r.y[row * cols + col] = (values[col] - mean) * r.inverse[row] * scale[col] + bias[col];
        }
      }
      return r;
    }
  }

  /** A vector along the last axis, or a single element, as the normalized axes see it. */
  private static double[] expanded(double[] values, int cols) {
    double[] expanded = new double[cols];
    Arrays.setAll(expanded, col -> values[col % values.length]);
    return expanded;
  }

  private static Tensor vector(Arena arena, double[] values) {
    Tensor t = Tensor.allocate(arena, DType.F32, 1, values.length);
    for (int i = 0; i < values.length; i++) {
      t.set(0, i, values[i]);
    }
    return t;
  }

  @ParameterizedTest
  @CsvSource({"-1, 5, 1e-5", "-1, 1, 1e-12", "3, 5, 0.1", "2, 5, 1e-5", "2, 20, 1e-5",
    "1, 5, 1e-12", "1, 60, 0.1", "0, 5, 1e-5", "0, 120, 1e-5", "-4, 1, 1e-5"})
  void normalizesTheTrailingAxes(int axis, int scaleSize, double epsilon) {
    int first = axis < 0 ? axis + SHAPE.length : axis;
    int rows = Arrays.stream(SHAPE, 0, first).reduce(1, (a, b) -> a * b);
    int cols = SIZE / rows;
    double[] scale = new double[scaleSize];
    double[] bias = new double[scaleSize];
    Arrays.setAll(scale, i -> 0.5 + (i * 7 % 8) / 8.0);
    Arrays.setAll(bias, i -> (i * 5 % 8) / 8.0 - 0.5);
    scale = expanded(scale, cols);
    bias = expanded(bias, cols);
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.normal(arena, rows, cols, 1);
      Tensor y = Tensor.allocate(arena, DType.F32, rows, cols);
      Tensor mean = Tensor.allocate(arena, DType.F32, rows, 1);
      Tensor inverse = Tensor.allocate(arena, DType.F32, rows, 1);

      LayerNorm.builder(vector(arena, scale))
          .bias(vector(arena, bias))
          .epsilon(epsilon)
          .build()
          .forward(x, y, mean, inverse);
      Reference layer = Reference.of(x, scale, bias, epsilon, true);
      assertClose(layer.y, y);
      assertClose(layer.mean, mean);
      assertClose(layer.inverse, inverse);

      RmsNorm.builder(vector(arena, scale)).epsilon(epsilon).build().forward(x, y, inverse);
      Reference rms = Reference.of(x, scale, new double[cols], epsilon, false);
      assertClose(rms.y, y);
      assertClose(rms.inverse, inverse);
    }
  }

  /** All values here are below 8; AccuracyTest has the exact bounds. */
  private static void assertClose(double[] expected, Tensor actual) {
    for (int i = 0; i < expected.length; i++) {
      double got = actual.get(i / actual.cols(), i % actual.cols());
      assertEquals(expected[i], got, 16 * 0x1p-24 * 8);
    }
  }

  /** Stash type 1: 16-bit inputs are normalized in f32, and Mean and InvStdDev are f32. */
  @ParameterizedTest
  @CsvSource({"F16, 11", "BF16, 8"})
  void stashesSingles(DType type, int digits) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensors.filled(arena, type, 6, 20, Values.NORMAL, 2);
      Tensor y = Tensor.allocate(arena, type, 6, 20);
      Tensor mean = Tensor.allocate(arena, DType.F32, 6, 1);
      Tensor inverse = Tensor.allocate(arena, DType.F32, 6, 1);
      LayerNorm.builder().build().forward(x, y, mean, inverse);
      double[] ones = new double[20];
      Arrays.fill(ones, 1);
      Reference reference = Reference.of(x, ones, new double[20], 1e-5, true);
      assertClose(reference.mean, mean);
      assertClose(reference.inverse, inverse);
      for (int i = 0; i < reference.y.length; i++) {
        double rounding = Math.scalb(Math.abs(reference.y[i]), -digits);
        assertEquals(reference.y[i], y.get(i / 20, i % 20), rounding + 16 * 0x1p-24 * 8);
      }
    }
  }
}
