package dev.panorm;

import dev.panorm.internal.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every operator through the public API, on every backend, on one thread and on several: the bits
 * are those of Java on one thread. Uses are generated: all combinations of form, types, epsilon mode
 * and gain layout; sizes, values and the other options are drawn.
 */
class OperatorsTest {
  private static final ExecutorService POOL = Executors.newFixedThreadPool(2);

  @AfterAll
  static void close() {
    POOL.close();
  }

  private enum Operator {
    RMS_NORM(Form.FORWARD, Form.ADD, Form.GATED, Form.QUANTIZED, Form.ADD_QUANTIZED), LAYER_NORM(
        Form.FORWARD, Form.ADD, Form.QUANTIZED, Form.ADD_QUANTIZED), L2_NORM(Form.FORWARD,
            Form.QUANTIZED), WEIGHT_NORM(Form.FORWARD), BATCH_NORM(Form.FORWARD, Form.INFERENCE);

    final List<Form> forms;

    Operator(Form... forms) {
      this.forms = List.of(forms);
    }
  }

  /** FORWARD is followed by backward where the types allow it. */
  private enum Form {
    FORWARD, ADD, GATED, QUANTIZED, ADD_QUANTIZED, INFERENCE;

    boolean quantized() {
      return this == QUANTIZED || this == ADD_QUANTIZED;
    }
  }

  private record Use(Operator operator, Form form, DType x, DType y, EpsilonMode epsilonMode,
      GainLayout layout, long seed) {

    static List<Use> of(Operator operator) {
      boolean rms = operator == Operator.RMS_NORM;
      boolean grouped = rms || operator == Operator.LAYER_NORM || operator == Operator.L2_NORM;
      EpsilonMode[] modes = rms ? EpsilonMode.values() : new EpsilonMode[] {EpsilonMode.INSIDE};
      GainLayout[] layouts = grouped
          ? GainLayout.values()
          : new GainLayout[] {GainLayout.PER_COLUMN};
      List<Use> uses = new ArrayList<>();
      for (Form form : operator.forms) {
        for (KernelId types : KernelId.all()) {
          boolean exists = operator != Operator.BATCH_NORM || types.x() == types.y();
          if (types.op() == Op.RMS_NORM && exists && form.quantized() == (types.y() == DType.I8)) {
            for (EpsilonMode mode : modes) {
              for (GainLayout layout : layouts) {
                for (int i = 0; i < (rms ? 4 : 10); i++) {
                  uses.add(new Use(operator, form, types.x(), types.y(), mode, layout, i));
                }
              }
            }
          }
        }
      }
      return uses;
    }
  }

  @ParameterizedTest
  @EnumSource
  void hasTheSameBits(Operator operator) {
    Parallel parallel = new Parallel(POOL, 3, 1);
    for (Use use : Use.of(operator)) {
      Map<String, Tensor> expected = run(use, Backend.JAVA, null);
      for (Backend backend : Panorm.availableBackends()) {
        if (backend != Backend.JAVA) {
          assertSame(expected, run(use, backend, null), use + " on " + backend);
        }
        if (use.seed % 2 == 0) {
          assertSame(expected, run(use, backend, parallel), use + " in parallel on " + backend);
        }
      }
    }
  }

  private static void assertSame(Map<String, Tensor> expected, Map<String, Tensor> actual,
      String what) {
    expected
        .forEach((name, t) -> Tensors.assertSameBits(t, actual.get(name), name + " of " + what));
  }

  /** All tensors of the use after it, by name. */
  private static Map<String, Tensor> run(Use use, Backend backend, Parallel parallel) {
    Draw draw = new Draw(
        use.seed * 31 + Arrays.hashCode(
            new int[] {use.form.ordinal(), use.x.ordinal(), use.y.ordinal(), use.layout.ordinal()}),
        use.operator != Operator.WEIGHT_NORM && use.operator != Operator.BATCH_NORM);
    switch (use.operator) {
      case RMS_NORM -> rmsNorm(use, draw, backend, parallel);
      case LAYER_NORM -> layerNorm(use, draw, backend, parallel);
      case L2_NORM -> l2Norm(use, draw, backend, parallel);
      case WEIGHT_NORM -> weightNorm(use, draw, backend, parallel);
      case BATCH_NORM -> batchNorm(use, draw, backend, parallel);
    }
    return draw.tensors;
  }

  private static <B extends NormBuilder<B>> B on(B builder, Backend backend, Parallel parallel) {
    builder.backend(backend);
    builder.parallel = parallel;
    return builder;
  }

  private static void rmsNorm(Use use, Draw draw, Backend backend, Parallel parallel) {
    RmsNorm.Builder b = on(RmsNorm.builder(), backend, parallel).epsilonMode(use.epsilonMode)
        .epsilon(draw.epsilon())
        .groups(draw.groups)
        .gainLayout(use.layout);
    DType parameter = draw.parameterType(use.x);
    if (draw.chance(4, 5)) {
      b.gain(draw.parameter("gain", parameter, use.layout)).gainOffset(draw.chance(1, 3) ? 1 : 0);
      if (parameter != DType.F64 && draw.chance(1, 3)) {
        b.roundBeforeGain();
      }
    }
    if (draw.chance(1, 2)) {
      b.bias(draw.parameter("bias", parameter, use.layout));
    }
    switch (draw.random.nextInt(6)) {
      case 0 -> b.partial(0.3);
      case 1 -> b.partialFloor(0.3);
      case 2 -> b.partialWidth(1);
      case 3 -> b.divisor(draw.width * 1.5);
      default -> {
      }
    }
    RmsNorm norm = b.build();
    Tensor x = draw.input("x", use.x);
    Tensor y = draw.y(use.y, x);
    switch (use.form) {
      case FORWARD -> {
        Tensor inverse = draw.statistic("inverse", use.x);
        if (use.x != use.y) {
          norm.forward(x, y, inverse);
          return;
        }
        Tensor kept = draw.copy("x kept", x);
        norm.forward(x, y, inverse);
        Tensor dy = draw.gradient("dy", use.x);
        norm.backward(dy, kept, inverse, draw.dx(dy, kept), draw.sum("dGain", use.x, use.layout),
            draw.sum("dBias", use.x, use.layout));
      }
      case ADD ->
        norm.addForward(x, draw.input("residual", use.x), y, draw.statistic("inverse", use.x));
      case GATED -> norm.gatedForward(x, draw.input("gate", use.x), y);
      case QUANTIZED -> norm.quantizedForward(x, y, draw.statistic("scale", use.x));
      default -> norm.addQuantizedForward(x, draw.input("residual", use.x), y,
          draw.statistic("scale", use.x));
    }
  }

  private static void layerNorm(Use use, Draw draw, Backend backend, Parallel parallel) {
    LayerNorm.Builder b = on(LayerNorm.builder(), backend, parallel).epsilon(draw.epsilon())
        .groups(draw.groups)
        .gainLayout(use.layout);
    DType parameter = draw.parameterType(use.x);
    if (draw.chance(4, 5)) {
      b.gain(draw.parameter("gain", parameter, use.layout));
    }
    if (draw.chance(1, 2)) {
      b.bias(draw.parameter("bias", parameter, use.layout));
    }
    LayerNorm norm = b.build();
    Tensor x = draw.input("x", use.x);
    Tensor y = draw.y(use.y, x);
    switch (use.form) {
      case FORWARD -> {
        Tensor mean = draw.statistic("mean", use.x);
        Tensor inverse = draw.statistic("inverse", use.x);
        if (use.x != use.y) {
          norm.forward(x, y, mean, inverse);
          return;
        }
        Tensor kept = draw.copy("x kept", x);
        norm.forward(x, y, mean, inverse);
        Tensor dy = draw.gradient("dy", use.x);
        norm.backward(dy, kept, mean, inverse, draw.dx(dy, kept),
            draw.sum("dGain", use.x, use.layout), draw.sum("dBias", use.x, use.layout));
      }
      case ADD -> norm.addForward(x, draw.input("residual", use.x), y,
          draw.statistic("mean", use.x), draw.statistic("inverse", use.x));
      case QUANTIZED -> norm.quantizedForward(x, y, draw.statistic("scale", use.x));
      default -> norm.addQuantizedForward(x, draw.input("residual", use.x), y,
          draw.statistic("scale", use.x));
    }
  }

  private static void l2Norm(Use use, Draw draw, Backend backend, Parallel parallel) {
    L2Norm.Builder b = on(L2Norm.builder(), backend, parallel).epsilon(draw.epsilon())
        .groups(draw.groups)
        .gainLayout(use.layout);
    if (draw.chance(2, 3)) {
      b.gain(draw.parameter("gain", draw.parameterType(use.x), use.layout));
    }
    L2Norm norm = b.build();
    Tensor x = draw.input("x", use.x);
    Tensor y = draw.y(use.y, x);
    if (use.form == Form.QUANTIZED) {
      norm.quantizedForward(x, y, draw.statistic("scale", use.x));
      return;
    }
    Tensor kept = draw.copy("x kept", x);
    Tensor inverse = draw.statistic("inverse", use.x);
    norm.forward(x, y, inverse);
    if (use.x == use.y) {
      Tensor dy = draw.gradient("dy", use.x);
      norm.backward(dy, kept, inverse, draw.dx(dy, kept), draw.sum("dGain", use.x, use.layout));
    }
  }

  private static void weightNorm(Use use, Draw draw, Backend backend, Parallel parallel) {
    Tensor gain = draw.contiguous("gain", draw.parameterType(use.x), draw.rows, 1, Values.NORMAL);
    WeightNorm norm = on(WeightNorm.builder(gain), backend, parallel).build();
    Tensor v = draw.input("v", use.x);
    Tensor w = draw.y(use.y, v);
    Tensor kept = draw.copy("v kept", v);
    Tensor inverse = draw.statistic("inverse", use.x);
    norm.forward(v, w, inverse);
    if (use.x == use.y) {
      Tensor dw = draw.gradient("dw", use.x);
      norm.backward(dw, kept, inverse, draw.dx(dw, kept),
          draw.chance(2, 3)
              ? draw.contiguous("dGain", Draw.statisticType(use.x), draw.rows, 1, null)
              : null);
    }
  }

  private static void batchNorm(Use use, Draw draw, Backend backend, Parallel parallel) {
    BatchNorm.Builder b = on(BatchNorm.builder(), backend, parallel).epsilon(draw.epsilon())
        .momentum(0.3);
    DType parameter = draw.parameterType(use.x);
    if (draw.chance(4, 5)) {
      b.gain(draw.parameter("gain", parameter, use.layout));
    }
    if (draw.chance(1, 2)) {
      b.bias(draw.parameter("bias", parameter, use.layout));
    }
    BatchNorm norm = b.build();
    Tensor x = draw.input("x", use.x);
    Tensor y = draw.y(use.y, x);
    DType statistic = Draw.statisticType(use.x);
    Tensor mean = draw.contiguous("mean", statistic, 1, draw.width, Values.NORMAL);
    Tensor variance = draw.contiguous("variance", statistic, 1, draw.width, Values.NORMAL);
    if (use.form == Form.INFERENCE) {
      norm.forward(x, y, mean, variance);
      return;
    }
    Tensor kept = draw.copy("x kept", x);
    Tensor inverse = draw.contiguous("inverse", statistic, 1, draw.width, null);
    if (draw.chance(1, 2)) {
      Tensor runningMean = draw.contiguous("running mean", statistic, 1, draw.width, Values.NORMAL);
      Tensor runningVariance = draw.contiguous("running variance", statistic, 1, draw.width,
          Values.NORMAL);
      norm.trainingForward(x, y, mean, variance, inverse, runningMean, runningVariance);
    } else {
      norm.trainingForward(x, y, mean, draw.chance(1, 2) ? variance : null, inverse);
    }
    Tensor dy = draw.gradient("dy", use.x);
    norm.backward(dy, kept, mean, inverse, draw.dx(dy, kept), draw.sum("dGain", use.x, use.layout),
        draw.sum("dBias", use.x, use.layout));
  }
}
