package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.util.Random;

/**
 * One problem: an operation, its shape, and the same random numbers for everybody who solves it.
 * The arrays are read, never written; each contender copies what it needs.
 */
record Workload(Operation operation, int rows, int cols, Data data) {
  static final float EPSILON = 1e-5f;

  /** Inputs. */
  record Data(float[] x, float[] residual, float[] gain, float[] bias) {}

  /** A problem with numbers of its own; the same ones for the same shape. */
  static Workload of(Operation operation, int rows, int cols) {
    Random random = new Random(31L * rows + cols);
    Data data = new Data(numbers(random, rows * cols, 0, 1), numbers(random, rows * cols, 0, 1),
        numbers(random, cols, 1, 0.1), numbers(random, cols, 0, 0.1));
    return new Workload(operation, rows, cols, data);
  }

  private static float[] numbers(Random random, int n, double mean, double deviation) {
    float[] numbers = new float[n];
    for (int i = 0; i < n; i++) {
      numbers[i] = (float) (mean + deviation * random.nextGaussian());
    }
    return numbers;
  }

  /** The result in double precision. */
  double[] expected() {
    double[] y = new double[rows * cols];
    boolean layer = operation == Operation.LAYER_NORM;
    int span = operation.span(cols);
    for (int r = 0; r < rows; r++) {
      double mean = 0;
      for (int c = 0; layer && c < cols; c++) {
        mean += input(r * cols + c) / cols;
      }
      double squares = 0;
      for (int c = 0; c < span; c++) {
        double centred = input(r * cols + c) - mean;
        squares += centred * centred;
      }
      double inverse = 1 / Math.sqrt(squares / span + EPSILON);
      for (int c = 0; c < cols; c++) {
        double scaled = (input(r * cols + c) - mean) * inverse * data.gain[c];
        y[r * cols + c] = layer ? scaled + data.bias[c] : scaled;
      }
    }
    return y;
  }

  private double input(int i) {
    boolean add = operation == Operation.ADD_RMS_NORM;
    return add ? (double) data.x[i] + data.residual[i] : data.x[i];
  }

  /** Refuses a result that is off by more than the rounding of float sums in another order. */
  void check(String who, float[] actual) {
    double[] expected = expected();
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= 1e-5 * (1 + Math.abs(expected[i])))) {
        throw new IllegalStateException("%s, %s %d x %d: element %d is %s, expected %s"
            .formatted(who, operation, rows, cols, i, actual[i], expected[i]));
      }
    }
  }

  /** A contender's task for this problem, which has computed it right once. */
  Task solvedBy(Contender contender, Arena arena) {
    Task task = contender.bind(this, arena);
    task.run();
    check(contender.name(), task.result());
    return task;
  }
}
