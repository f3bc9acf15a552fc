package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The gradients of every operator, in f64 by the public API, against central differences. */
class GradientsTest {
  private static final int ROWS = 5;
  private static final double EPSILON = 0.1;

  private interface Forward {
    void run(Tensor x, Tensor y);
  }

  private interface Backward {
    void run(Tensor dy, Tensor x, Tensor dx, Tensor dGain, Tensor dBias);
  }

  /** An operator on the arrays that its differences are taken in; no bias is an empty one. */
  private record Subject(String name, int cols, double[] gain, double[] bias, Forward forward,
      Backward backward) {
    @Override
    public String toString() {
      return name + ", " + cols + " columns";
    }
  }

  /** A gain far from uniform: with a uniform one, wrong gradients pass. */
  private static double[] gain(int length) {
    return new SplittableRandom(length).doubles(length, 0.5, 2).toArray();
  }

  private static double[] bias(int length) {
    return new SplittableRandom(-length).doubles(length, -1, 1).toArray();
  }

  private static Tensor tensor(double[] array, int rows) {
    return Tensor.ofSegment(MemorySegment.ofArray(array), DType.F64, rows, array.length / rows);
  }

  static List<Subject> subjects() {
    List<Subject> subjects = new ArrayList<>();
    for (int cols : new int[] {1, 2, 7, 33}) {
      for (EpsilonMode mode : EpsilonMode.values()) {
        for (int k : new int[] {1, (cols + 1) / 2, cols}) {
          subjects.add(rmsNorm(mode + ", k = " + k, cols, 1, cols,
              RmsNorm.builder().epsilonMode(mode).partialWidth(k)));
        }
      }
      subjects.add(rmsNorm("gain offset, divisor", cols, 1, cols,
          RmsNorm.builder().gainOffset(1).divisor(cols + 3)));
      subjects.add(layerNorm("", cols, 1, cols, LayerNorm.builder()));
      subjects.add(l2Norm("", cols, EPSILON));
      subjects.add(l2Norm("rows shorter than epsilon", cols, 100));
      subjects.add(weightNorm(cols));
      subjects.add(batchNorm(cols));
    }
    int groups = 3;
    for (GainLayout layout : GainLayout.values()) {
      int width = 5;
      int length = switch (layout) {
        case PER_COLUMN -> groups * width;
        case SHARED -> width;
        case PER_GROUP -> groups;
      };
      subjects.add(rmsNorm("groups, " + layout, groups * width, groups, length,
          RmsNorm.builder().groups(groups).gainLayout(layout).partialWidth(2)));
      subjects.add(layerNorm("groups, " + layout, groups * width, groups, length,
          LayerNorm.builder().groups(groups).gainLayout(layout)));
    }
    return subjects;
  }

  private static Subject rmsNorm(String name, int cols, int groups, int length,
      RmsNorm.Builder builder) {
    double[] gain = gain(length);
    double[] bias = bias(length);
    RmsNorm norm = builder.gain(tensor(gain, 1))
        .bias(tensor(bias, 1))
        .epsilon(EPSILON)
        .backend(Backend.JAVA)
        .build();
    Tensor inverse = tensor(new double[ROWS * groups], ROWS);
    return new Subject("RMSNorm " + name, cols, gain, bias, (x, y) -> norm.forward(x, y, inverse),
        (dy, x, dx, dGain, dBias) -> norm.backward(dy, x, inverse, dx, dGain, dBias));
  }

  private static Subject layerNorm(String name, int cols, int groups, int length,
      LayerNorm.Builder builder) {
    double[] gain = gain(length);
    double[] bias = bias(length);
    LayerNorm norm = builder.gain(tensor(gain, 1))
        .bias(tensor(bias, 1))
        .epsilon(EPSILON)
        .backend(Backend.JAVA)
        .build();
    Tensor mean = tensor(new double[ROWS * groups], ROWS);
    Tensor inverse = tensor(new double[ROWS * groups], ROWS);
    return new Subject("LayerNorm " + name, cols, gain, bias,
        (x, y) -> norm.forward(x, y, mean, inverse),
        (dy, x, dx, dGain, dBias) -> norm.backward(dy, x, mean, inverse, dx, dGain, dBias));
  }

  private static Subject l2Norm(String name, int cols, double epsilon) {
    double[] gain = gain(cols);
    L2Norm norm = L2Norm.builder()
        .gain(tensor(gain, 1))
        .epsilon(epsilon)
        .backend(Backend.JAVA)
        .build();
    Tensor inverse = tensor(new double[ROWS], ROWS);
    return new Subject("L2Norm " + name, cols, gain, new double[0],
        (x, y) -> norm.forward(x, y, inverse),
        (dy, x, dx, dGain, dBias) -> norm.backward(dy, x, inverse, dx, dGain));
  }

  private static Subject weightNorm(int cols) {
    double[] gain = gain(ROWS);
    WeightNorm norm = WeightNorm.builder(tensor(gain, ROWS)).backend(Backend.JAVA).build();
    Tensor inverse = tensor(new double[ROWS], ROWS);
    return new Subject("WeightNorm", cols, gain, new double[0],
        (v, w) -> norm.forward(v, w, inverse), (dw, v, dv, dGain, dBias) -> norm.backward(dw, v,
            inverse, dv, Tensor.ofSegment(dGain.segment(), DType.F64, ROWS, 1)));
  }

  private static Subject batchNorm(int cols) {
    double[] gain = gain(cols);
    double[] bias = bias(cols);
    BatchNorm norm = BatchNorm.builder(tensor(gain, 1))
        .bias(tensor(bias, 1))
        .epsilon(EPSILON)
        .backend(Backend.JAVA)
        .build();
    Tensor mean = tensor(new double[cols], 1);
    Tensor inverse = tensor(new double[cols], 1);
    return new Subject("BatchNorm", cols, gain, bias,
        (x, y) -> norm.trainingForward(x, y, mean, null, inverse),
        (dy, x, dx, dGain, dBias) -> norm.backward(dy, x, mean, inverse, dx, dGain, dBias));
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void areThoseOfCentralDifferences(Subject s) {
    RandomGenerator random = new SplittableRandom(9);
    // Away from 0, where the root of one element has a kink.
    double[] x = random.doubles(ROWS * s.cols, 0.3, 2)
        .map(v -> random.nextBoolean() ? v : -v)
        .toArray();
    double[] dy = random.doubles(ROWS * s.cols, -1, 1).toArray();
    double[] dx = new double[x.length];
    double[] dGain = new double[s.gain.length];
    double[] dBias = new double[s.bias.length];
    loss(s, x, dy); // saves the statistics
    s.backward.run(tensor(dy, ROWS), tensor(x, ROWS), tensor(dx, ROWS), tensor(dGain, 1),
        tensor(dBias, 1));
    // h^2 times third derivatives, of the order of 1 / 0.3^2 or 1 / EPSILON^2; rounding, 2^-53 / h.
    double tolerance = 1e-6;
    assertArrayEquals(slope(s, x, dy, x), dx, tolerance, "dx");
    assertArrayEquals(slope(s, x, dy, s.gain), dGain, tolerance, "dGain");
    assertArrayEquals(slope(s, x, dy, s.bias), dBias, tolerance, "dBias");
  }

  /** y weighted by dy: a number to differentiate. */
  private static double loss(Subject s, double[] x, double[] dy) {
    double[] y = new double[x.length];
    s.forward.run(tensor(x, ROWS), tensor(y, ROWS));
    double loss = 0;
    for (int i = 0; i < y.length; i++) {
      loss += y[i] * dy[i];
    }
    return loss;
  }

  private static double[] slope(Subject s, double[] x, double[] dy, double[] argument) {
    double[] slope = new double[argument.length];
    double h = 1e-5;
    for (int i = 0; i < argument.length; i++) {
      double at = argument[i];
      argument[i] = at + h;
      double above = loss(s, x, dy);
      argument[i] = at - h;
      slope[i] = (above - loss(s, x, dy)) / (2 * h);
      argument[i] = at;
    }
    return slope;
  }
}
