package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * One problem: an operation, its shape, and the same random numbers for everybody who solves it,
 * each of which the format can hold. The arrays are read, never written; each contender copies what
 * it needs.
 */
public final class Workload {
  /** Inside the root, everywhere. */
  public static final float EPSILON = 1e-5f;

  /** Inputs; mean (0 without centring) and inverse are the statistics of x that forward saves. */
  public record Data(float[] x, float[] residual, float[] dy, float[] gain, float[] bias,
      float[] mean, float[] inverse) {}

  private final Problem problem;
  private final int rows;
  private final int cols;
  private final Data data;

  /** Computed when first asked for: it takes longer than a float result. */
  private double[] expected;

  private Workload(Problem problem, int rows, int cols, Data data) {
    this.problem = problem;
    this.rows = rows;
    this.cols = cols;
    this.data = data;
  }

  /** A problem with numbers of its own; the same ones for the same shape. */
  static Workload of(Problem problem, int rows, int cols) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom")
        .create(31L * rows + cols);
    Format format = problem.format();
    float[] x = numbers(random, rows * cols, 0, 1, format);
    float[] mean = new float[rows];
    float[] inverse = new float[rows];
    for (int r = 0; r < rows; r++) {
      double[] statistics = statistics(x, r * cols, cols, problem.operation());
      mean[r] = (float) statistics[0];
      inverse[r] = (float) statistics[1];
    }
    boolean backward = problem.operation().isBackward();
    boolean add = problem.operation() == Operation.ADD_RMS_NORM;
    Data data = new Data(x, numbers(random, add ? rows * cols : 0, 0, 1, format),
        numbers(random, backward ? rows * cols : 0, 0, 1, format),
        numbers(random, cols, 1, 0.1, format), numbers(random, cols, 0, 0.1, format), mean,
        inverse);
    return new Workload(problem, rows, cols, data);
  }

  private static float[] numbers(RandomGenerator random, int n, double mean, double deviation,
      Format format) {
    float[] numbers = new float[n];
    for (int i = 0; i < n; i++) {
      numbers[i] = format.rounded((float) (mean + deviation * random.nextGaussian()));
    }
    return numbers;
  }

  /** What is computed on what. */
  public Problem problem() {
    return problem;
  }

  /** How many rows. */
  public int rows() {
    return rows;
  }

  /** Their width. */
  public int cols() {
    return cols;
  }

  /** The inputs. */
  public Data data() {
    return data;
  }

  /** What is computed. */
  public Operation operation() {
    return problem.operation();
  }

  /** How it is stored. */
  public Format format() {
    return problem.format();
  }

  /** Mean and inverse of a row, in double precision. */
  private static double[] statistics(float[] values, int at, int n, Operation operation) {
    double mean = 0;
    for (int c = 0; operation.centres() && c < n; c++) {
      mean += values[at + c] / (double) n;
    }
    int span = operation.span(n);
    double squares = 0;
    for (int c = 0; c < span; c++) {
      squares += (values[at + c] - mean) * (values[at + c] - mean);
    }
    return new double[] {mean, 1 / Math.sqrt(squares / span + EPSILON)};
  }

  /** The result in double precision, in the order of {@link Task#result()}. */
  private double[] expected() {
    return switch (operation()) {
      case COPY -> {
        double[] y = new double[data.x.length];
        for (int i = 0; i < y.length; i++) {
          y[i] = data.x[i];
        }
        yield y;
      }
      case RMS_NORM_BACKWARD, LAYER_NORM_BACKWARD -> expectedGradients();
      default -> expectedNorm();
    };
  }

  private double[] expectedNorm() {
    double[] y = new double[rows * cols];
    float[] input = data.x.clone();
    if (operation() == Operation.ADD_RMS_NORM) {
      for (int i = 0; i < input.length; i++) {
        input[i] = format().rounded(data.x[i] + data.residual[i]);
      }
    }
    for (int r = 0; r < rows; r++) {
      double[] statistics = statistics(input, r * cols, cols, operation());
      for (int c = 0; c < cols; c++) {
        double scaled = (input[r * cols + c] - statistics[0]) * statistics[1] * data.gain[c];
        y[r * cols + c] = operation().centres() ? scaled + data.bias[c] : scaled;
      }
    }
    return y;
  }

  private double[] expectedGradients() {
    boolean centre = operation().centres();
    int size = rows * cols;
    double[] all = new double[size + (centre ? 2 : 1) * cols];
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      double dot = 0;
      for (int c = 0; c < cols; c++) {
        double g = (double) data.dy[r * cols + c] * data.gain[c];
        sum += centre ? g : 0;
        dot += g * normalized(r, c);
      }
      for (int c = 0; c < cols; c++) {
        double dy = data.dy[r * cols + c];
        double normalized = normalized(r, c);
        all[r * cols + c] = data.inverse[r] * (dy * data.gain[c] - (sum + normalized * dot) / cols);
        all[size + c] += dy * normalized;
        if (centre) {
          all[size + cols + c] += dy;
        }
      }
    }
    return all;
  }

  private double normalized(int r, int c) {
    return ((double) data.x[r * cols + c] - data.mean[r]) * data.inverse[r];
  }

  /**
   * Refuses a result that is off by more than rounding: of float sums in another order, which over
   * many rows is more, and of what is stored. A byte is off by half of its row's scale.
   */
  void check(String who, float[] actual) {
    if (expected == null) {
      expected = expected();
    }
    if (actual.length != expected.length) {
      throw new IllegalStateException("%s, %s %d x %d: %d numbers, expected %d".formatted(who,
          problem, rows, cols, actual.length, expected.length));
    }
    for (int i = 0; i < expected.length; i++) {
      double magnitude = 1 + Math.abs(expected[i]);
      double sums = i < rows * cols ? 1e-5 : 1e-5 * Math.sqrt(rows);
      double allowed = operation() == Operation.RMS_NORM_INT8
          ? 0.501 * scale(expected, i / cols)
          : (sums + format().rounding()) * magnitude;
      if (!(Math.abs(actual[i] - expected[i]) <= allowed)) {
        throw new IllegalStateException("%s, %s %d x %d: element %d is %s, expected %s"
            .formatted(who, problem, rows, cols, i, actual[i], expected[i]));
      }
    }
  }

  private double scale(double[] y, int row) {
    double max = 0;
    for (int c = 0; c < cols; c++) {
      max = Math.max(max, Math.abs(y[row * cols + c]));
    }
    return max / 127;
  }

  /** A contender's task for this problem, which has computed it right once. */
  Task solvedBy(Contender contender, Arena arena) {
    Task task = contender.bind(this, arena);
    task.call().run();
    check(contender.name(), task.result().get());
    return task;
  }

  /** Refuses a result of code that has been compiled since; of what adds up, one of new tensors. */
  void checkAgain(Contender contender, Task task, Arena arena) {
    if (operation() == Operation.ADD_RMS_NORM) {
      solvedBy(contender, arena);
    } else {
      check(contender.name(), task.result().get());
    }
  }
}
