package dev.panorm.paper.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.paper.data.Batch;
import dev.panorm.paper.data.TextBatch;
import dev.panorm.paper.data.TextData;
import dev.panorm.paper.data.TinyPairs;
import dev.panorm.paper.data.TranslationData;
import dev.panorm.paper.nn.NormKind;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Value;
import dev.panorm.paper.nn.Workspace;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Gradients of whole models, every operation and norm in them, against central differences. */
class GradientsTest {
  private static final TranslationData PAIRS = TinyPairs.data();

  static List<NormSpec> norms() {
    return Stream.of(NormSpec.Style.values())
        .flatMap(style -> Stream.of(NormKind.values()).map(kind -> new NormSpec(kind, style)))
        .filter(NormSpec::exists)
        .toList();
  }

  /** Without WeightNorm, which needs a layer's weights. */
  static List<NormSpec> normsOfActivations() {
    return norms().stream().filter(norm -> norm.kind() != NormKind.WEIGHT_NORM).toList();
  }

  @ParameterizedTest
  @MethodSource("norms")
  void recurrentTranslation(NormSpec norm) {
    try (Parameters parameters = new Parameters(3)) {
      Model<Batch> model = new GruTranslator(parameters, PAIRS.vocabulary().size(), 24, 0, norm);
      compare(parameters, model, PAIRS.epoch(1, 0).getFirst());
    }
  }

  @ParameterizedTest
  @MethodSource("normsOfActivations")
  void transformerTranslation(NormSpec norm) {
    try (Parameters parameters = new Parameters(3)) {
      TransformerTranslator.Shape shape = new TransformerTranslator.Shape(PAIRS.vocabulary().size(),
          20, 2, 2, 13, 0.1);
      compare(parameters, new TransformerTranslator(parameters, shape, norm),
          PAIRS.epoch(1, 0).getFirst());
    }
  }

  @ParameterizedTest
  @MethodSource("normsOfActivations")
  void languageModel(NormSpec norm) {
    List<String> text = TinyPairs.pairs(100).stream().map(pair -> pair.source()).toList();
    TextData data = new TextData(text, 300, 6, 4);
    try (Parameters parameters = new Parameters(3)) {
      Model<TextBatch> model = new Llama(parameters,
          new Llama.Shape(24, 40, 2, 4, 2, data.vocabulary().size(), 6), norm);
      compare(parameters, model, data.batch(1, 0));
    }
  }

  /**
   * Moves each parameter along its gradient, element by element forward or backward at random, and
   * compares what the loss does with what the gradient says.
   */
  private static <B> void compare(Parameters parameters, Model<B> model, B batch) {
    Random random = new Random(5);
    // Away from where it starts: gains of 1 and biases of 0 hide mistakes.
    for (Value value : parameters.values()) {
      for (int i = 0; i < value.rows() * value.cols(); i++) {
        add(value, i, 0.1 * random.nextGaussian());
      }
    }
    try (Workspace memory = new Workspace()) {
      Tape tape = new Tape(memory, true, 7);
      tape.backward(model.loss(tape, batch).loss());
      double all = parameters.gradientNorm();
      int moved = 0;
      for (Value value : parameters.values()) {
        double[] gradient = new double[value.rows() * value.cols()];
        Arrays.setAll(gradient, i -> value.gradTensor().get(i / value.cols(), i % value.cols()));
        double square = Arrays.stream(gradient).map(g -> g * g).sum();
        assertTrue(square > 0,
            "nothing comes back to a parameter of " + value.rows() + " x " + value.cols());
        if (Math.sqrt(square) < 1e-3 * all) {
          continue; // (nearly) without effect, such as a bias of keys: lost in f32's rounding
        }
        double[] direction = new double[gradient.length];
        Arrays.setAll(direction,
            i -> gradient[i] * (random.nextInt(4) == 0 ? -1 : 1) / Math.sqrt(square));
        double expected = 0;
        for (int i = 0; i < gradient.length; i++) {
          expected += gradient[i] * direction[i];
        }
        // Small steps drown in f32's rounding, large ones in the curvature, of which partial RMSNorm
        // of two columns has a lot: the gradient has to be right at one of these.
        double tolerance = 0.02 * Math.sqrt(square) + 2e-4;
        double[] steps = {0.001, 0.003, 0.0003, 0.01, 0.0001};
        double slope = Double.NaN;
        for (int i = 0; i < steps.length && !(Math.abs(slope - expected) <= tolerance); i++) {
          slope = slope(memory, model, batch, value, direction,
              steps[i] / Math.max(1, Math.sqrt(square)));
        }
        assertEquals(expected, slope, tolerance,
            "parameter " + moved + ", " + value.rows() + " x " + value.cols());
        moved++;
      }
      assertTrue(moved > parameters.values().size() / 4, moved + " parameters had a gradient");
    }
  }

  private static <B> double slope(Workspace memory, Model<B> model, B batch, Value value,
      double[] direction, double step) {
    return (lossAt(memory, model, batch, value, direction, step)
        - lossAt(memory, model, batch, value, direction, -step)) / (2 * step);
  }

  private static <B> double lossAt(Workspace memory, Model<B> model, B batch, Value value,
      double[] direction, double step) {
    double[] before = new double[direction.length];
    Arrays.setAll(before, i -> value.tensor().get(i / value.cols(), i % value.cols()));
    for (int i = 0; i < direction.length; i++) {
      add(value, i, step * direction[i]);
    }
    double loss = model.loss(new Tape(memory, true, 7), batch).loss().tensor().get(0, 0);
    for (int i = 0; i < direction.length; i++) {
      value.tensor().set(i / value.cols(), i % value.cols(), before[i]);
    }
    return loss;
  }

  private static void add(Value value, int i, double by) {
    int row = i / value.cols();
    int col = i % value.cols();
    value.tensor().set(row, col, value.tensor().get(row, col) + by);
  }
}
