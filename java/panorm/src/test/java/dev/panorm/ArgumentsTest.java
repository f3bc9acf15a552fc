package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong arguments are refused by a message with the numbers, and nothing is written. */
@ParameterizedClass
@MethodSource("dev.panorm.Panorm#availableBackends")
class ArgumentsTest {
  private static final int ROWS = 3;
  private static final int COLS = 8;

  @Parameter
  Backend backend;

  private final Arena arena = Arena.ofConfined();
  private Tensor x;
  private Tensor y;
  private Tensor residual;
  private Tensor gain;

  @BeforeEach
  void allocate() {
    x = filled(ROWS, COLS);
    y = filled(ROWS, COLS);
    residual = filled(ROWS, COLS);
    gain = filled(1, COLS);
  }

  @AfterEach
  void close() {
    arena.close();
  }

  private Tensor filled(long rows, long cols) {
    Tensor t = Tensor.allocate(arena, DType.F32, rows, cols);
    t.segment().fill((byte) 0x3f);
    return t;
  }

  private RmsNorm norm() {
    return RmsNorm.builder(gain).backend(backend).build();
  }

  /** The message has all of these, and y and the residual are as they were. */
  private <T extends Throwable> void refuses(Class<T> type, Runnable call, String... parts) {
    byte[] yBefore = y.segment().toArray(ValueLayout.JAVA_BYTE);
    byte[] residualBefore = residual.segment().toArray(ValueLayout.JAVA_BYTE);
    String message = assertThrows(type, call::run).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertArrayEquals(yBefore, y.segment().toArray(ValueLayout.JAVA_BYTE));
    assertArrayEquals(residualBefore, residual.segment().toArray(ValueLayout.JAVA_BYTE));
  }

  private void refuses(Runnable call, String... parts) {
    refuses(IllegalArgumentException.class, call, parts);
  }

  /** Compiled code throws exceptions without a message where it only meets a null. */
  @Test
  void absentTensorsAreNamedWhenCompiledToo() {
    RmsNorm norm = norm();
    for (int i = 0; i < 50_000; i++) {
      assertEquals("x",
          assertThrows(NullPointerException.class, () -> norm.forward(null, y)).getMessage());
      assertEquals("y",
          assertThrows(NullPointerException.class, () -> norm.forward(x, null)).getMessage());
      assertEquals("dy",
          assertThrows(NullPointerException.class, () -> norm.backward(null, x, gain, y, null))
              .getMessage());
    }
  }

  /** Which round as the kernels do, and keep to the range. */
  @Test
  void elementsOfI8() {
    double[] values = {2.5, 3.5, -2.7, 200, -200, Double.NaN};
    double[] stored = {2, 4, -3, 127, -128, 0};
    Tensor t = Tensor.allocate(arena, DType.I8, 1, values.length);
    for (int i = 0; i < values.length; i++) {
      t.set(0, i, values[i]);
      assertEquals(stored[i], t.get(0, i));
    }
  }

  @Test
  void shapes() {
    refuses(() -> norm().forward(filled(ROWS, 9), filled(ROWS, 9)), "3 x 9 F32",
        "9 elements of gain", "1 x 8 F32");
    refuses(() -> norm().forward(filled(2, COLS), y), "2 x 8 F32", "3 x 8 F32");
    refuses(() -> norm().addForward(x, filled(4, COLS), y), "3 x 8 F32", "4 x 8 F32");
    refuses(() -> norm().forward(x, y, filled(2, 1)), "3 x 1 F32", "2 x 1 F32");
    refuses(() -> RmsNorm.builder(filled(2, COLS)), "2 x 8 F32");
    refuses(() -> RmsNorm.builder(gain).bias(filled(1, 7)).build(), "1 x 8 F32", "1 x 7 F32");
    refuses(() -> norm().backward(x, x, filled(ROWS, 1), y, filled(1, 7)), "dGain", "1 x 8 F32",
        "1 x 7 F32");
    refuses(() -> WeightNorm.builder(gain), "1 x 8 F32", "column");
    refuses(() -> WeightNorm.builder(filled(2, 1)).backend(backend).build().forward(x, y),
        "3 elements of gain", "2 x 1 F32");
    RmsNorm partial = RmsNorm.builder().backend(backend).partialWidth(9).build();
    refuses(() -> partial.forward(x, y), "9", "3 x 8 F32");
  }

  @Test
  void types() {
    Tensor i8 = Tensor.allocate(arena, DType.I8, ROWS, COLS);
    refuses(() -> norm().forward(i8, y), "I8", "F32");
    Tensor f64 = Tensor.allocate(arena, DType.F64, ROWS, COLS);
    refuses(() -> norm().addForward(x, f64, y), "3 x 8 F64", "F32");
    Tensor bf16 = Tensor.allocate(arena, DType.BF16, 1, COLS);
    refuses(() -> RmsNorm.builder(bf16).backend(backend).build().forward(x, y), "gain in F32",
        "1 x 8 BF16");
  }

  /** Combinations of types that do not exist are refused with a list of those that do. */
  @Test
  void combinationsOfTypes() {
    Tensor f64 = Tensor.allocate(arena, DType.F64, ROWS, COLS);
    Tensor bf16 = Tensor.allocate(arena, DType.BF16, ROWS, COLS);
    Tensor i8 = Tensor.allocate(arena, DType.I8, ROWS, COLS);
    refuses(() -> norm().forward(f64, y), "RMSNorm from F64 to F32", "F64 to F64, F16 to F32");
    refuses(() -> norm().backward(bf16, x, filled(ROWS, 1), y, null),
        "RMSNorm backward from F32 to BF16", "[F32 to F32, F64 to F64, F16 to F16, BF16 to BF16]");
    Tensor statistic = filled(1, COLS);
    refuses(
        () -> BatchNorm.builder().backend(backend).build().forward(x, bf16, statistic, statistic),
        "BatchNorm from F32 to BF16", "BF16 to BF16");
    refuses(() -> norm().forward(x, i8), "3 x 8 I8", "scale");
    refuses(() -> norm().quantizedForward(x, y, filled(ROWS, 1)), "3 x 8 F32", "I8");
    refuses(() -> RmsNorm.builder(Tensor.allocate(arena, DType.I8, 1, COLS)), "1 x 8 I8",
        "F32, F64, F16 or BF16");
    Tensor f64Gain = Tensor.allocate(arena, DType.F64, 1, COLS);
    refuses(() -> RmsNorm.builder(f64Gain).roundBeforeGain().build(), "F16, BF16 or F32",
        "1 x 8 F64");
    refuses(() -> RmsNorm.builder(f64Gain).bias(gain).build(), "1 x 8 F64", "1 x 8 F32");
  }

  @Test
  void groups() {
    RmsNorm three = RmsNorm.builder().groups(3).backend(backend).build();
    refuses(() -> three.forward(x, y), "3 x 8 F32", "3 groups");
    refuses(() -> RmsNorm.builder(gain).groups(3).build(), "groups is 3", "1 x 8 F32");
    refuses(() -> LayerNorm.builder(gain).groups(2).gainLayout(GainLayout.PER_GROUP).build(),
        "groups is 2", "1 x 8 F32");
    refuses(() -> RmsNorm.builder(gain).groups(2).partialWidth(5).build(), "5", "1 x 8 F32");
    RmsNorm shared = RmsNorm.builder(gain)
        .groups(2)
        .gainLayout(GainLayout.SHARED)
        .backend(backend)
        .build();
    refuses(() -> shared.forward(x, y), "4 elements of gain", "1 x 8 F32");
    RmsNorm two = RmsNorm.builder().groups(2).backend(backend).build();
    refuses(() -> two.forward(x, y, filled(ROWS, 1)), "3 x 2 F32", "3 x 1 F32");
    refuses(
        () -> RmsNorm.builder().groups(2).partialWidth(5).backend(backend).build().forward(x, y),
        "5", "2 groups");
  }

  @Test
  void batches() {
    BatchNorm norm = BatchNorm.builder().backend(backend).build();
    Tensor[] s = new Tensor[5];
    Arrays.setAll(s, i -> filled(1, COLS));
    Tensor empty = filled(0, COLS);
    refuses(() -> norm.trainingForward(empty, filled(0, COLS), s[0], s[1], s[2]), "0 x 8 F32",
        "1 rows");
    refuses(() -> norm.trainingForward(x.row(0), y.row(0), s[0], s[1], s[2], s[3], s[4]),
        "1 x 8 F32", "2 rows");
    refuses(() -> norm.trainingForward(x, y, filled(ROWS, 1), s[1], s[2]), "mean", "1 x 8 F32",
        "3 x 1 F32");
  }

  @Test
  void options() {
    refuses(() -> RmsNorm.builder().epsilon(-1), "-1");
    refuses(() -> RmsNorm.builder().epsilon(Double.NaN), "NaN");
    refuses(() -> RmsNorm.builder().partial(0), "0");
    refuses(() -> RmsNorm.builder().partial(1.5), "1.5");
    refuses(() -> RmsNorm.builder().partialWidth(0), "0");
    refuses(() -> RmsNorm.builder().gainOffset(1).build(), "1.0");
    refuses(() -> RmsNorm.builder().gainOffset(Double.NaN), "NaN");
    refuses(() -> RmsNorm.builder().roundBeforeGain().build(), "gain");
    refuses(() -> RmsNorm.builder().partialFloor(-0.5), "-0.5");
    refuses(() -> RmsNorm.builder().divisor(0), "0.0");
    refuses(() -> RmsNorm.builder().divisor(Double.POSITIVE_INFINITY), "Infinity");
    refuses(() -> LayerNorm.builder().groups(0), "0");
    refuses(() -> L2Norm.builder().epsilon(-1), "-1");
    refuses(() -> BatchNorm.builder().momentum(1.5), "1.5");
    refuses(() -> WeightNorm.builder(filled(ROWS, 1)).parallel(Runnable::run, 0), "0");
    refuses(() -> new SpinningThreads(0, Duration.ZERO), "0");
    refuses(() -> new SpinningThreads(1, Duration.ofMillis(-1)), "PT-0.001S");
  }

  @Test
  void overlap() {
    Tensor wide = filled(4, COLS);
    Tensor first = wide.rows(0, 3);
    Tensor second = wide.rows(1, 3);
    refuses(() -> norm().forward(first, second), "overlaps", "3 x 8 F32");
    refuses(() -> norm().addForward(x, x, y), "residual", "overlaps");
    refuses(() -> norm().addForward(x, y, y), "residual", "overlaps");
    refuses(() -> RmsNorm.builder(y.row(1)).backend(backend).build().forward(x, y), "gain",
        "overlaps");
  }

  /** Columns of the same wider rows lie apart although their ranges of memory cross. */
  @Test
  void interleavedColumnsDoNotOverlap() {
    Tensor wide = filled(ROWS, 2 * COLS);
    wide.columns(COLS, COLS).segment().fill((byte) 0);
    Tensor expected = filled(ROWS, COLS);
    norm().forward(wide.columns(0, COLS), expected);
    norm().forward(wide.columns(0, COLS), wide.columns(COLS, COLS));
    for (int row = 0; row < ROWS; row++) {
      for (int col = 0; col < COLS; col++) {
        assertEquals(expected.get(row, col), wide.get(row, COLS + col));
      }
    }
    refuses(() -> norm().forward(wide.columns(0, COLS), wide.columns(4, COLS)), "overlaps");
  }

  @Test
  void readOnly() {
    Tensor readOnly = Tensor.ofSegment(y.segment().asReadOnly(), DType.F32, ROWS, COLS);
    refuses(() -> norm().forward(x, readOnly), "read-only", "3 x 8 F32");
    refuses(() -> norm().addForward(x, readOnly, y), "residual", "read-only");
  }

  @Test
  void readOnlyHeapInput() {
    float[] array = {1, 2, 3, 4, 5, 6, 7, 8};
    MemorySegment segment = MemorySegment.ofArray(array);
    Tensor in = Tensor.ofSegment(segment.asReadOnly(), DType.F32, 1, COLS);
    Tensor expected = filled(1, COLS);
    norm().forward(Tensor.ofArray(array.clone()), expected);
    Tensor out = filled(1, COLS);
    norm().forward(in, out);
    for (int col = 0; col < COLS; col++) {
      assertEquals(expected.get(0, col), out.get(0, col));
    }
    // Which array it views cannot be told, but that it is this one can.
    refuses(() -> norm().forward(in, Tensor.ofArray(array)), "overlaps");
  }

  @Test
  void closedArena() {
    Tensor closed;
    try (Arena other = Arena.ofConfined()) {
      closed = Tensor.allocate(other, DType.F32, ROWS, COLS);
    }
    refuses(IllegalStateException.class, () -> norm().forward(closed, y));
    refuses(IllegalStateException.class, () -> norm().forward(x, closed));
    refuses(IllegalStateException.class, () -> norm().addForward(x, residual, closed));
  }

  @Test
  void arenaOfAnotherThread() {
    RmsNorm norm = norm();
    CompletionException e = assertThrows(CompletionException.class,
        () -> CompletableFuture.runAsync(() -> norm.forward(x, y)).join());
    assertEquals(WrongThreadException.class, e.getCause().getClass());
    assertEquals(0x3f3f3f3f, y.segment().get(ValueLayout.JAVA_INT, 0));
  }

  @Test
  void emptyTensors() {
    norm().forward(filled(0, COLS), filled(0, COLS));
    RmsNorm.builder().backend(backend).build().forward(filled(ROWS, 0), filled(ROWS, 0));
    Tensor dGain = filled(1, COLS);
    Tensor dBias = filled(1, COLS);
    norm().backward(filled(0, COLS), filled(0, COLS), filled(0, 1), null, dGain, dBias);
    Tensors.assertSameBits(Tensor.allocate(arena, DType.F32, 1, COLS), dGain, "sum of nothing");
    Tensors.assertSameBits(Tensor.allocate(arena, DType.F32, 1, COLS), dBias, "sum of nothing");
  }

  @Test
  void sumsOverRowsOfNoColumns() {
    Tensor gain = filled(ROWS, 1);
    Tensor none = filled(ROWS, 0);
    Tensor dGain = filled(ROWS, 1);
    WeightNorm.builder(gain).backend(backend).build().backward(none, none, gain, null, dGain);
    Tensors.assertSameBits(Tensor.allocate(arena, DType.F32, ROWS, 1), dGain, "sum of nothing");
  }

  /** There is nothing to add up, but both would be cleared. */
  @Test
  void sumsOfNothingInAClosedArena() {
    y = filled(1, COLS); // must stay
    Tensor closed;
    try (Arena other = Arena.ofConfined()) {
      closed = Tensor.allocate(other, DType.F32, 1, COLS);
    }
    refuses(IllegalStateException.class,
        () -> norm().backward(filled(0, COLS), filled(0, COLS), filled(0, 1), null, y, closed),
        "dBias", "closed arena", "1 x 8 F32");
  }

  @Test
  void tensors() {
    MemorySegment segment = arena.allocate(64, 64);
    refuses(() -> Tensor.allocate(arena, DType.F32, -1, 2), "-1 x 2");
    refuses(() -> Tensor.ofSegment(segment, DType.F32, 2, 4, 3), "3", "4 columns");
    refuses(IndexOutOfBoundsException.class, () -> Tensor.ofSegment(segment, DType.F32, 3, 6),
        "3 x 6 F32", "72 bytes", "64");
    refuses(() -> Tensor.ofSegment(segment, DType.F32, Long.MAX_VALUE, 2, 4),
        "9223372036854775807");
    refuses(() -> Tensor.ofSegment(segment.asSlice(2), DType.F32, 1, 2), "aligned", "4 bytes");
    refuses(() -> Tensor.ofSegment(MemorySegment.ofArray(new byte[8]), DType.F32, 1, 2),
        "aligned to 1 bytes", "Java array", "F32 needs 4 bytes");
    MemorySegment nowhere = MemorySegment.NULL.reinterpret(64);
    refuses(() -> Tensor.ofSegment(nowhere, DType.F32, 2, 4), "64 bytes", "address 0");
    refuses(IndexOutOfBoundsException.class, () -> x.rows(2, 2), "2");
    refuses(IndexOutOfBoundsException.class, () -> x.columns(0, 9), "9");
    refuses(IndexOutOfBoundsException.class, () -> x.get(3, 0), "3");
    for (int i = 0; i < 20; i++) { // by chance one in four
      assertEquals(0, Tensor.allocate(arena, DType.F32, 1, 3).segment().address() % 64);
    }
  }

  @Test
  void nullsAreNamed() {
    MemorySegment segment = arena.allocate(64, 64);
    refusesNull("arena", () -> Tensor.allocate(null, DType.F32, 1, 2));
    refusesNull("type", () -> Tensor.allocate(arena, null, 1, 2));
    refusesNull("segment", () -> Tensor.ofSegment(null, DType.F32, 1, 2));
    refusesNull("type", () -> Tensor.ofSegment(segment, null, 1, 2));
    refusesNull("elements", () -> Tensor.ofArray((float[]) null));
    refusesNull("elements", () -> Tensor.ofArray((double[]) null));
    refusesNull("array", () -> Tensor.ofArray(null, 0, 1, 2));
    refusesNull("name", () -> Backend.of(null));
    refusesNull("gain", () -> RmsNorm.builder(null));
    refusesNull("gain", () -> WeightNorm.builder(null));
    refusesNull("bias", () -> RmsNorm.builder().bias(null));
    refusesNull("epsilon mode", () -> RmsNorm.builder().epsilonMode(null));
    refusesNull("gain layout", () -> RmsNorm.builder().gainLayout(null));
    refusesNull("backend", () -> RmsNorm.builder().backend(null));
    refusesNull("executor", () -> RmsNorm.builder().parallel(null, 2));
    refusesNull("threads", () -> RmsNorm.builder().parallel(null));
  }

  private static void refusesNull(String name, Executable call) {
    assertEquals(name, assertThrows(NullPointerException.class, call).getMessage());
  }
}
