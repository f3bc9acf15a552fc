package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Table 1 of Zhang and Sennrich (2019), as far as "yes" and "no" go: what a layer y = norm(W x) is
 * invariant to, and what it demonstrably is not. And equations 8 and 10: what its gradients are.
 * Epsilon is 0, as in the paper.
 */
@ParameterizedClass
@MethodSource("dev.panorm.Panorm#availableBackends")
class InvarianceTest {
  private static final int CASES = 6;
  private static final int INPUTS = 5;
  private static final int OUTPUTS = 8;

  @Parameter
  Backend backend;

  private enum Norm {
    BATCH_NORM, WEIGHT_NORM, LAYER_NORM, RMS_NORM, PARTIAL_RMS_NORM
  }

  private enum Change {
    WEIGHT_MATRIX_RESCALING(l -> scale(l.weights, 2.5)),
    /** The same vector is added to all weight vectors. */
    WEIGHT_MATRIX_RECENTRING(l -> add(l.weights, l.shift)), WEIGHT_VECTOR_RESCALING(
        l -> scale(l.weights[3], 2.5)), DATASET_RESCALING(l -> scale(l.inputs, 2.5)),
    /** The same vector is added to all inputs. */
    DATASET_RECENTRING(l -> add(l.inputs, l.shift)), CASE_RESCALING(l -> scale(l.inputs[2], 2.5));

    final Consumer<Layer> change;

    Change(Consumer<Layer> change) {
      this.change = change;
    }
  }

  /** W, one weight vector an output, and a batch of inputs. */
  private static final class Layer {
    final double[][] weights;
    final double[][] inputs;
    final double[] shift;

    Layer() {
      SplittableRandom random = new SplittableRandom(1);
      weights = normal(random, OUTPUTS);
      inputs = normal(random, CASES);
      shift = normal(random, 1)[0];
    }

    private static double[][] normal(SplittableRandom random, int rows) {
      double[][] matrix = new double[rows][INPUTS];
      for (double[] row : matrix) {
        Arrays.setAll(row, i -> random.nextGaussian());
      }
      return matrix;
    }

    /** W x of each case. */
    double[] activations(double[][] weights) {
      double[] a = new double[CASES * OUTPUTS];
      for (int c = 0; c < CASES; c++) {
        for (int o = 0; o < OUTPUTS; o++) {
          for (int i = 0; i < INPUTS; i++) {
            a[c * OUTPUTS + o] += weights[o][i] * inputs[c][i];
          }
        }
      }
      return a;
    }
  }

  private static void scale(double[][] matrix, double factor) {
    for (double[] row : matrix) {
      scale(row, factor);
    }
  }

  private static void scale(double[] row, double factor) {
    Arrays.setAll(row, i -> row[i] * factor);
  }

  private static void add(double[][] matrix, double[] shift) {
    for (double[] row : matrix) {
      Arrays.setAll(row, i -> row[i] + shift[i]);
    }
  }

  private static Tensor tensor(double[] values, int rows) {
    return Tensor.ofSegment(MemorySegment.ofArray(values), DType.F64, rows, values.length / rows);
  }

  private double[] apply(Norm norm, Layer layer) {
    if (norm == Norm.WEIGHT_NORM) {
      double[] v = Arrays.stream(layer.weights).flatMapToDouble(Arrays::stream).toArray();
      double[] gain = new double[OUTPUTS];
      Arrays.fill(gain, 1.5);
      double[] w = new double[v.length];
      WeightNorm.builder(tensor(gain, OUTPUTS))
          .backend(backend)
          .build()
          .forward(tensor(v, OUTPUTS), tensor(w, OUTPUTS));
      double[][] weights = new double[OUTPUTS][];
      Arrays.setAll(weights, o -> Arrays.copyOfRange(w, o * INPUTS, (o + 1) * INPUTS));
      return layer.activations(weights);
    }
    Tensor a = tensor(layer.activations(layer.weights), CASES);
    double[] y = new double[CASES * OUTPUTS];
    Tensor out = tensor(y, CASES);
    switch (norm) {
      case LAYER_NORM -> LayerNorm.builder().epsilon(0).backend(backend).build().forward(a, out);
      case RMS_NORM -> RmsNorm.builder().epsilon(0).backend(backend).build().forward(a, out);
      case PARTIAL_RMS_NORM ->
        RmsNorm.builder().partial(0.25).epsilon(0).backend(backend).build().forward(a, out);
      default -> BatchNorm.builder()
          .epsilon(0)
          .backend(backend)
          .build()
          .trainingForward(a, out, tensor(new double[OUTPUTS], 1), null,
              tensor(new double[OUTPUTS], 1));
    }
    return y;
  }

  /** The table as it is printed, its columns in the order of {@link Change}. */
  static Stream<Object[]> table() {
    return Stream.of(row(Norm.BATCH_NORM, "yes no yes yes yes no"),
        row(Norm.WEIGHT_NORM, "yes no yes no no no"), row(Norm.LAYER_NORM, "yes yes no yes no yes"),
        row(Norm.RMS_NORM, "yes no no yes no yes"),
        row(Norm.PARTIAL_RMS_NORM, "yes no no yes no yes")).flatMap(row -> row);
  }

  private static Stream<Object[]> row(Norm norm, String invariant) {
    return Stream.of(Change.values())
        .map(change -> new Object[] {norm, change,
          invariant.split(" ")[change.ordinal()].equals("yes")});
  }

  @ParameterizedTest
  @MethodSource("table")
  void table1(Norm norm, Change change, boolean invariant) {
    Layer layer = new Layer();
    double[] before = apply(norm, layer);
    change.change.accept(layer);
    double[] after = apply(norm, layer);
    double largest = 0;
    for (int i = 0; i < before.length; i++) {
      largest = Math.max(largest, Math.abs(after[i] - before[i]));
    }
    // f64 is off by some 1e-15 times the magnitudes here, all below 10; a change that counts is 1e-2.
    assertTrue(invariant ? largest < 1e-13 : largest > 1e-2,
        "the largest difference is " + largest);
  }

  /** The gradients of one step through a layer y = RMSNorm(W x). */
  private record Step(double[] dWeights, double[] dGain, double[] dBias) {}

  private Step step(Layer layer) {
    SplittableRandom random = new SplittableRandom(2);
    double[] dy = random.doubles(CASES * OUTPUTS, -1, 1).toArray();
    double[] gain = random.doubles(OUTPUTS, 0.5, 2).toArray();
    RmsNorm norm = RmsNorm.builder(tensor(gain, 1)).epsilon(0).backend(backend).build();
    Tensor a = tensor(layer.activations(layer.weights), CASES);
    Tensor y = tensor(new double[CASES * OUTPUTS], CASES);
    Tensor inverse = tensor(new double[CASES], CASES);
    double[] da = new double[CASES * OUTPUTS];
    Step step = new Step(new double[OUTPUTS * INPUTS], new double[OUTPUTS], new double[OUTPUTS]);
    norm.forward(a, y, inverse);
    norm.backward(tensor(dy, CASES), a, inverse, tensor(da, CASES), tensor(step.dGain, 1),
        tensor(step.dBias, 1));
    for (int c = 0; c < CASES; c++) {
      for (int o = 0; o < OUTPUTS; o++) {
        for (int i = 0; i < INPUTS; i++) {
          step.dWeights[o * INPUTS + i] += da[c * OUTPUTS + o] * layer.inputs[c][i];
        }
      }
    }
    return step;
  }

  /** The implicit learning rate: W scaled by delta has its gradient scaled by 1 / delta. */
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 3, 1024})
  void gradientOfWeightsScalesInversely(double delta) {
    Layer layer = new Layer();
    Step before = step(layer);
    scale(layer.weights, delta);
    Step after = step(layer);
    assertClose(before.dWeights, after.dWeights, delta);
    assertClose(before.dGain, after.dGain, 1);
    assertClose(before.dBias, after.dBias, 1);
  }

  /** Inputs scaled by delta leave all gradients as they are. */
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 3, 1024})
  void gradientsIgnoreTheScaleOfInputs(double delta) {
    Layer layer = new Layer();
    Step before = step(layer);
    scale(layer.inputs, delta);
    Step after = step(layer);
    assertClose(before.dWeights, after.dWeights, 1);
    assertClose(before.dGain, after.dGain, 1);
    assertClose(before.dBias, after.dBias, 1);
  }

  /** Sums of some ten terms of about 1, each off by some 1e-16. */
  private static void assertClose(double[] expected, double[] actual, double factor) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i] * factor, 1e-13);
    }
  }
}
