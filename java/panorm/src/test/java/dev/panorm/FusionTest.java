package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panorm.internal.Op;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each fused form has the bits of the separate calls that it stands for. */
@ParameterizedClass
@MethodSource("dev.panorm.Panorm#availableBackends")
class FusionTest {
  private static final int ROWS = 3;
  private static final int COLS = 131;

  @Parameter
  Backend backend;

  private final Arena arena = Arena.ofAuto();

  private RmsNorm rmsNorm() {
    return RmsNorm.builder(Tensors.normal(arena, 1, COLS, 1)).backend(backend).build();
  }

  private LayerNorm layerNorm() {
    return LayerNorm.builder(Tensors.normal(arena, 1, COLS, 1))
        .bias(Tensors.normal(arena, 1, COLS, 2))
        .backend(backend)
        .build();
  }

  private Tensor output(DType type) {
    return Tensor.allocate(arena, type, ROWS, COLS);
  }

  private Tensor statistic(DType x) {
    return Tensor.allocate(arena, Draw.statisticType(x), ROWS, 1);
  }

  private static List<DType[]> pairs(boolean quantized) {
    List<DType[]> pairs = new ArrayList<>();
    for (KernelId id : KernelId.all()) {
      if (id.op() == Op.RMS_NORM && (id.y() == DType.I8) == quantized) {
        pairs.add(new DType[] {id.x(), id.y()});
      }
    }
    return pairs;
  }

  /** residual + x in f64 or f32, rounded to their type. */
  private Tensor sum(Tensor x, Tensor residual) {
    Tensor sum = Tensors.copy(arena, residual);
    for (int row = 0; row < ROWS; row++) {
      for (int col = 0; col < COLS; col++) {
        double exactly = x.get(row, col) + residual.get(row, col);
        // In f32, as 16-bit rows are added: Java's sum of floats, whose NaNs and infinities count.
        sum.set(row, col,
            x.type() == DType.F64
                ? exactly
                : (float) x.get(row, col) + (float) residual.get(row, col));
      }
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource
  void addForwardIsAddThenForward(Values values) {
    for (DType[] pair : pairs(false)) {
      Tensor x = Tensors.filled(arena, pair[0], ROWS, COLS, values, 5);
      Tensor residual = Tensors.filled(arena, pair[0], ROWS, COLS, values, 6);
      Tensor sum = sum(x, residual);
      String what = pair[0] + " to " + pair[1];
      Tensor expected = output(pair[1]);
      Tensor expectedInverse = statistic(pair[0]);
      Tensor y = output(pair[1]);
      Tensor inverse = statistic(pair[0]);

      RmsNorm rms = RmsNorm.builder().backend(backend).build();
      rms.forward(sum, expected, expectedInverse);
      Tensor stored = Tensors.copy(arena, residual);
      rms.addForward(x, stored, y, inverse);
      Tensors.assertSameBits(sum, stored, "sum " + what);
      Tensors.assertSameBits(expected, y, "RMSNorm " + what);
      Tensors.assertSameBits(expectedInverse, inverse, "inverse RMS " + what);

      LayerNorm layer = LayerNorm.builder().backend(backend).build();
      Tensor expectedMean = statistic(pair[0]);
      Tensor mean = statistic(pair[0]);
      layer.forward(sum, expected, expectedMean, expectedInverse);
      stored = Tensors.copy(arena, residual);
      layer.addForward(x, stored, y, mean, inverse);
      Tensors.assertSameBits(sum, stored, "sum " + what);
      Tensors.assertSameBits(expected, y, "LayerNorm " + what);
      Tensors.assertSameBits(expectedMean, mean, "mean " + what);
      Tensors.assertSameBits(expectedInverse, inverse, "inverse deviation " + what);
    }
  }

  /** Statistics saved or not, in place or not, residual or not: the same y. */
  @ParameterizedTest
  @EnumSource
  void inPlaceAndWithoutStatistics(Values values) {
    Tensor x = Tensors.filled(arena, DType.F32, ROWS, COLS, values, 7);
    Tensor residual = Tensors.filled(arena, DType.F32, ROWS, COLS, values, 8);
    RmsNorm rms = rmsNorm();
    LayerNorm layer = layerNorm();
    Tensor expected = output(DType.F32);
    Tensor statistic = statistic(DType.F32);
    Tensor other = statistic(DType.F32);

    rms.forward(x, expected, statistic);
    Tensor y = Tensors.copy(arena, x);
    rms.forward(y, y);
    Tensors.assertSameBits(expected, y, "RMSNorm");
    layer.forward(x, expected, statistic, other);
    y = Tensors.copy(arena, x);
    layer.forward(y, y);
    Tensors.assertSameBits(expected, y, "LayerNorm");
    rms.addForward(x, Tensors.copy(arena, residual), expected, statistic);
    y = Tensors.copy(arena, x);
    rms.addForward(y, Tensors.copy(arena, residual), y);
    Tensors.assertSameBits(expected, y, "residual + RMSNorm");
    layer.addForward(x, Tensors.copy(arena, residual), expected, statistic, other);
    y = Tensors.copy(arena, x);
    layer.addForward(y, Tensors.copy(arena, residual), y);
    Tensors.assertSameBits(expected, y, "residual + LayerNorm");
  }

  /** A row alone goes a shorter way than a batch, on the heap too: the same bits. */
  @ParameterizedTest
  @EnumSource
  void rowsAloneAreRowsOfABatch(Values values) {
    for (KernelId id : KernelId.all()) {
      if (id.op() == Op.RMS_NORM) {
        Tensor gain = Tensors.filled(arena, id.x(), 1, COLS, Values.NORMAL, 1);
        Tensor bias = Tensors.filled(arena, id.x(), 1, COLS, Values.NORMAL, 2);
        RmsNorm rms = RmsNorm.builder(gain).backend(backend).build();
        RmsNorm partial = RmsNorm.builder(gain).partial(0.3).backend(backend).build();
        LayerNorm layer = LayerNorm.builder(gain).bias(bias).backend(backend).build();
        if (id.y() == DType.I8) {
          assertAlone(id, values, rms::addQuantizedForward);
          assertAlone(id, values, (x, residual, y, scale) -> rms.quantizedForward(x, y, scale));
          assertAlone(id, values, layer::addQuantizedForward);
        } else {
          assertAlone(id, values, (x, residual, y, scale) -> rms.forward(x, y));
          assertAlone(id, values, (x, residual, y, scale) -> rms.addForward(x, residual, y));
          assertAlone(id, values, (x, residual, y, scale) -> partial.forward(x, y));
          assertAlone(id, values, (x, residual, y, scale) -> layer.forward(x, y));
          assertAlone(id, values, (x, residual, y, scale) -> layer.addForward(x, residual, y));
          assertAlone(id, values, (x, residual, y, scale) -> rms.gatedForward(x, residual, y));
          for (RmsNorm unusual : unusual(gain)) {
            assertAlone(id, values, (x, residual, y, scale) -> unusual.forward(x, y));
          }
        }
      }
    }
  }

  /** By each of their options: none of them has the shorter way. */
  private List<RmsNorm> unusual(Tensor gain) {
    Tensor single = Tensors.filled(arena, DType.F32, 1, COLS, Values.NORMAL, 1);
    Tensor one = Tensors.filled(arena, gain.type(), 1, 1, Values.NORMAL, 1);
    return Stream.of(RmsNorm.builder(gain).gainOffset(1), RmsNorm.builder(gain).groups(COLS),
        RmsNorm.builder(one).groups(COLS).gainLayout(GainLayout.SHARED), RmsNorm.builder(single),

        RmsNorm.builder(gain).epsilon(0.5).epsilonMode(EpsilonMode.OUTSIDE),
        RmsNorm.builder(gain).epsilon(0.5).epsilonMode(EpsilonMode.FLOOR))
        .map(builder -> builder.backend(backend).build())
        .toList();
  }

  private interface Norm {
    void call(Tensor x, Tensor residual, Tensor y, Tensor scale);
  }

  private void assertAlone(KernelId id, Values values, Norm norm) {
    Tensor x = Tensors.filled(arena, id.x(), ROWS, COLS, values, 15);
    Tensor residual = Tensors.filled(arena, id.x(), ROWS, COLS, values, 16);
    Tensor sum = Tensors.copy(arena, residual);
    Tensor y = output(id.y());
    Tensor scale = statistic(id.x());
    norm.call(x, sum, y, scale);
    for (int row = 0; row < ROWS; row++) {
      assertAlone(id + " off the heap", t -> Tensors.copy(arena, t), norm, x.row(row),
          residual.row(row), sum.row(row), y.row(row), scale.row(row));
      assertAlone(id + " on the heap", Tensors::copyOnHeap, norm, x.row(row), residual.row(row),
          sum.row(row), y.row(row), scale.row(row));
    }
  }

  /** What is written is expected to become sum, y and scale. */
  private void assertAlone(String what, UnaryOperator<Tensor> copy, Norm norm, Tensor x,
      Tensor residual, Tensor sum, Tensor y, Tensor scale) {
    Tensor actualSum = copy.apply(residual);
    Tensor actualY = copy.apply(Tensor.allocate(arena, y.type(), 1, COLS));
    Tensor actualScale = copy.apply(Tensor.allocate(arena, scale.type(), 1, 1));
    norm.call(copy.apply(x), actualSum, actualY, actualScale);
    Tensors.assertSameBits(sum, actualSum, "sum " + what);
    Tensors.assertSameBits(y, actualY, what);
    Tensors.assertSameBits(scale, actualScale, "scale " + what);
  }

  /** silu alone is the gated norm of ones, one to a row, which are their own norm. */
  private Tensor silu(Tensor gate) {
    long count = gate.rows() * gate.cols();
    Tensor ones = Tensor.allocate(arena, gate.type(), count, 1);
    for (int i = 0; i < count; i++) {
      ones.set(i, 0, 1);
    }
    Tensor silu = Tensor.allocate(arena, gate.type(), gate.rows(), gate.cols());
    RmsNorm.builder()
        .epsilon(0)
        .backend(backend)
        .build()
        .gatedForward(ones, Tensor.ofSegment(gate.segment(), gate.type(), count, 1),
            Tensor.ofSegment(silu.segment(), gate.type(), count, 1));
    return silu;
  }

  @ParameterizedTest
  @EnumSource(names = {"NORMAL", "SIGNED_ZEROS", "HUGE", "AROUND_10000", "INFINITE"})
  void gatedForwardIsForwardTimesSilu(Values values) {
    for (DType type : new DType[] {DType.F32, DType.F64}) { // where no rounding comes between
      Tensor x = Tensors.filled(arena, type, ROWS, COLS, Values.NORMAL, 9);
      Tensor gate = Tensors.filled(arena, type, ROWS, COLS, values, 10);
      RmsNorm norm = rmsNorm();
      Tensor plain = output(type);
      norm.forward(x, plain);
      Tensor silu = silu(gate);
      Tensor expected = output(type);
      for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < COLS; col++) {
          expected.set(row, col, plain.get(row, col) * silu.get(row, col));
        }
      }
      Tensor y = output(type);
      norm.gatedForward(x, gate, y);
      Tensors.assertSameBits(expected, y, "gated " + type);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NORMAL", "SIGNED_ZEROS", "ALL_ZERO", "AROUND_10000", "ONE_NAN"})
  void quantizedForwardIsForwardThenQuantize(Values values) {
    for (DType[] pair : pairs(true)) {
      DType type = pair[0];
      Tensor x = Tensors.filled(arena, type, ROWS, COLS, values, 11);
      Tensor residual = Tensors.filled(arena, type, ROWS, COLS, values, 12);
      Tensor plain = output(DType.F32);
      Tensor y = output(DType.I8);
      Tensor scale = statistic(type);
      RmsNorm rms = rmsNorm();
      LayerNorm layer = layerNorm();

      rms.forward(x, plain);
      rms.quantizedForward(x, y, scale);
      assertQuantized(plain, y, scale, "RMSNorm of " + type);
      layer.forward(x, plain);
      layer.quantizedForward(x, y, scale);
      assertQuantized(plain, y, scale, "LayerNorm of " + type);
      rms.addForward(x, Tensors.copy(arena, residual), plain);
      rms.addQuantizedForward(x, Tensors.copy(arena, residual), y, scale);
      assertQuantized(plain, y, scale, "residual + RMSNorm of " + type);
      layer.addForward(x, Tensors.copy(arena, residual), plain);
      layer.addQuantizedForward(x, Tensors.copy(arena, residual), y, scale);
      assertQuantized(plain, y, scale, "residual + LayerNorm of " + type);
    }
  }

  @Test
  void rowsWhoseScaleNoFloatHoldsAreQuantizedToZeros() {
    RmsNorm ofFirst = RmsNorm.builder().partial(0.5).epsilon(0).backend(backend).build();
    assertZeros(ofFirst, Tensor.ofArray(1e-30f, 1e30f), Float.POSITIVE_INFINITY); // norm(x): 1, 1e60
    Tensor gain = Tensor.ofArray(1e-44f, -1e-44f);
    assertZeros(RmsNorm.builder(gain).backend(backend).build(), Tensor.ofArray(1, 1f), 0);
  }

  private void assertZeros(RmsNorm norm, Tensor x, float expectedScale) {
    Tensor y = Tensor.allocate(arena, DType.I8, 1, 2);
    y.segment().fill((byte) 1);
    Tensor scale = Tensor.allocate(arena, DType.F32, 1, 1);
    norm.quantizedForward(x, y, scale);
    assertEquals(expectedScale, scale.get(0, 0));
    for (int col = 0; col < 2; col++) {
      assertEquals(0, y.get(0, col));
    }
  }

  private void assertQuantized(Tensor plain, Tensor y, Tensor scale, String what) {
    Tensor expected = output(DType.I8);
    Tensor expectedScale = statistic(DType.F32);
    for (int row = 0; row < ROWS; row++) {
      float largest = 0;
      for (int col = 0; col < COLS; col++) {
        largest = Math.max(largest, Math.abs((float) plain.get(row, col)));
      }
      expectedScale.set(row, 0, largest / 127);
      float factor = largest > 0 ? 127 / largest : 0; // of zeros, and of NaNs
      for (int col = 0; col < COLS; col++) {
        float value = (float) plain.get(row, col);
        expected.set(row, col, factor == 0 ? 0 : Math.rint(value * factor));
      }
    }
    Tensors.assertSameBits(expectedScale, scale, "scale, " + what);
    Tensors.assertSameBits(expected, y, what);
  }

  /** Another type of y is the same row, rounded to that type. */
  @ParameterizedTest
  @EnumSource(names = {"NORMAL", "SIGNED_ZEROS", "ALL_ZERO", "AROUND_10000", "ONE_NAN", "INFINITE"})
  void mixedTypesAreForwardThenRound(Values values) {
    for (DType x : new DType[] {DType.F32, DType.F16, DType.BF16}) {
      for (DType y : x == DType.F32 ? new DType[] {DType.F16, DType.BF16} : new DType[] {x}) {
        Tensor in = Tensors.filled(arena, x, ROWS, COLS, values, 13);
        Tensor wide = output(DType.F32);
        Tensor narrow = output(y);
        rmsNorm().forward(in, wide);
        rmsNorm().forward(in, narrow);
        Tensors.assertSameBits(rounded(wide, y), narrow, "RMSNorm " + x + " to " + y);
        layerNorm().forward(in, wide);
        layerNorm().forward(in, narrow);
        Tensors.assertSameBits(rounded(wide, y), narrow, "LayerNorm " + x + " to " + y);
      }
    }
  }

  /** The order of Hugging Face's Llama: the norm in 16 bits, then times the gain. */
  @ParameterizedTest
  @EnumSource(names = {"NORMAL", "SIGNED_ZEROS", "ALL_ZERO", "AROUND_10000", "ONE_NAN", "INFINITE"})
  void roundBeforeGainIsForwardThenGain(Values values) {
    for (DType type : new DType[] {DType.F16, DType.BF16}) {
      Tensor x = Tensors.filled(arena, type, ROWS, COLS, values, 16);
      Tensor gain = Tensors.filled(arena, type, 1, COLS, Values.NORMAL, 17);
      Tensor expected = output(type);
      RmsNorm.builder().backend(backend).build().forward(x, expected);
      for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < COLS; col++) {
          expected.set(row, col, expected.get(row, col) * gain.get(0, col)); // exact in f64
        }
      }
      Tensor y = output(type);
      RmsNorm.builder(gain).roundBeforeGain().backend(backend).build().forward(x, y);
      Tensors.assertSameBits(expected, y, type.toString());
    }
  }

  /** Without effect on F32, though rows that are too large for it are computed in double. */
  @ParameterizedTest
  @EnumSource
  void roundBeforeGainLeavesF32(Values values) {
    Tensor x = Tensors.filled(arena, DType.F32, ROWS, COLS, values, 18);
    Tensor gain = Tensors.normal(arena, 1, COLS, 19);
    Tensor expected = output(DType.F32);
    Tensor y = output(DType.F32);
    RmsNorm.builder(gain).backend(backend).build().forward(x, expected);
    RmsNorm.builder(gain).roundBeforeGain().backend(backend).build().forward(x, y);
    Tensors.assertSameBits(expected, y, values.toString());
  }

  private Tensor rounded(Tensor t, DType type) {
    Tensor rounded = output(type);
    for (int row = 0; row < ROWS; row++) {
      for (int col = 0; col < COLS; col++) {
        rounded.set(row, col, t.get(row, col));
      }
    }
    return rounded;
  }

  /** A group is a row of its own: on a strided view of a wider buffer too. */
  @ParameterizedTest
  @EnumSource
  void groupsAreRows(Values values) {
    int heads = 3;
    int width = 43;
    Tensor qkv = Tensors.filled(arena, DType.F32, ROWS, 2 * heads * width, values, 14);
    Tensor queries = qkv.columns(0, heads * width);
    Tensor gain = Tensors.normal(arena, 1, width, 15);
    Tensor y = Tensor.allocate(arena, DType.F32, ROWS, heads * width);
    Tensor inverse = Tensor.allocate(arena, DType.F32, ROWS, heads);
    RmsNorm.builder(gain)
        .groups(heads)
        .gainLayout(GainLayout.SHARED)
        .backend(backend)
        .build()
        .forward(queries, y, inverse);
    RmsNorm perHead = RmsNorm.builder(gain).backend(backend).build();
    for (int head = 0; head < heads; head++) {
      Tensor expected = Tensor.allocate(arena, DType.F32, ROWS, width);
      Tensor expectedInverse = Tensor.allocate(arena, DType.F32, ROWS, 1);
      perHead.forward(queries.columns(head * width, width), expected, expectedInverse);
      Tensors.assertSameBits(expected, y.columns(head * width, width), "head " + head);
      for (int row = 0; row < ROWS; row++) {
        Tensors.assertSameBits(expectedInverse.row(row), inverse.row(row).columns(head, 1),
            "inverse RMS of head " + head);
      }
    }
  }
}
