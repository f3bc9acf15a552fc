package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls that are made in several: with arrays, and on several threads. */
@Timeout(60)
class CutCallsTest {
  private static final int ROWS = 64;
  private static final int COLS = 2048;

  private final Arena arena = Arena.ofAuto();
  private final Tensor x = Tensors.normal(arena, ROWS, COLS, 1);
  private final Tensor perRow = Tensors.normal(arena, ROWS, 1, 2);
  private final Tensor perColumn = Tensors.normal(arena, 1, COLS, 3);

  private interface Backward {
    void run(Tensor dx, Tensor dGain, Tensor dBias);
  }

  /** Those of norms with the given builders' options. */
  private List<Backward> backwards(Backend backend, SpinningThreads threads) {
    RmsNorm rms = with(RmsNorm.builder(), backend, threads).build();
    LayerNorm layer = with(LayerNorm.builder(), backend, threads).build();
    BatchNorm batch = with(BatchNorm.builder(), backend, threads).build();
    return List.of((dx, dGain, dBias) -> rms.backward(x, x, perRow, dx, dGain, dBias),
        (dx, dGain, dBias) -> layer.backward(x, x, perRow, perRow, dx, dGain, dBias),
        (dx, dGain, dBias) -> batch.backward(x, x, perColumn, perColumn, dx, dGain, dBias));
  }

  private static <B extends NormBuilder<B>> B with(B builder, Backend backend,
      SpinningThreads threads) {
    return threads == null ? builder.backend(backend) : builder.backend(backend).parallel(threads);
  }

  /** Nor does the part of the call that has no use for dx. */
  @ParameterizedTest
  @MethodSource("dev.panorm.Panorm#availableBackends")
  void backwardWithoutAccessToDxWritesNothing(Backend backend) {
    Tensor closed = allocateIn(Arena.ofConfined(), true);
    Tensor closedShared = allocateIn(Arena.ofShared(), true);
    Tensor ofAnother = CompletableFuture.supplyAsync(() -> allocateIn(Arena.ofConfined(), false))
        .join();
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ZERO)) {
      for (SpinningThreads oneOrMore : new SpinningThreads[] {null, threads}) {
        for (Backward backward : backwards(backend, oneOrMore)) {
          refuses(IllegalStateException.class, backward, closed);
          refuses(IllegalStateException.class, backward, closedShared);
          refuses(WrongThreadException.class, backward, ofAnother);
        }
      }
    }
  }

  private static Tensor allocateIn(Arena arena, boolean close) {
    Tensor t = Tensor.allocate(arena, DType.F32, ROWS, COLS);
    if (close) {
      arena.close();
    }
    return t;
  }

  private static void refuses(Class<? extends Exception> type, Backward backward, Tensor dx) {
    Tensor dGain = Tensor.ofArray(new float[COLS]);
    Tensor dBias = Tensor.ofArray(new float[COLS]);
    dGain.set(0, 0, 1);
    dBias.set(0, 0, 1);
    String message = assertThrows(type, () -> backward.run(dx, dGain, dBias)).getMessage();
    assertTrue(message.startsWith("dx is "), message);
    assertEquals(1, dGain.get(0, 0));
    assertEquals(1, dBias.get(0, 0));
  }

  /** There is nothing to divide, whatever else the call has. */
  @ParameterizedTest
  @MethodSource("dev.panorm.Panorm#availableBackends")
  void oneRowMayBeConfined(Backend backend) {
    try (Arena confined = Arena.ofConfined();
        SpinningThreads threads = new SpinningThreads(1, Duration.ZERO)) {
      Tensor row = Tensors.normal(confined, 1, COLS, 1);
      Tensor statistic = Tensor.allocate(confined, DType.F32, 1, 1);
      RmsNorm rms = with(RmsNorm.builder(), backend, threads).build();
      rms.forward(row, row);
      rms.forward(row, row, statistic);
      rms.gatedForward(row, Tensors.normal(confined, 1, COLS, 2), row);
      with(RmsNorm.builder().groups(2), backend, threads).build().forward(row, row);
      with(L2Norm.builder(), backend, threads).build().forward(row, row);
    }
  }

  /** Larger ones would be divided. */
  @ParameterizedTest
  @MethodSource("dev.panorm.Panorm#availableBackends")
  void smallCallsOfSeveralRowsMayNotBeConfined(Backend backend) {
    try (Arena confined = Arena.ofConfined();
        SpinningThreads threads = new SpinningThreads(1, Duration.ZERO)) {
      Tensor rows = Tensors.normal(confined, 2, 8, 1);
      RmsNorm rms = with(RmsNorm.builder(), backend, threads).build();
      assertThrows(IllegalArgumentException.class, () -> rms.forward(rows, rows));
    }
  }

  /** As columns are cut in whole blocks, of which there are fewer than parts. */
  @ParameterizedTest
  @MethodSource("dev.panorm.Panorm#availableBackends")
  void batchesOfFewColumnsAreCutByRowsInInference(Backend backend) {
    batchIsCutByRowsInInference(backend, 53, 3);
    batchIsCutByRowsInInference(backend, 128, 8);
  }

  private void batchIsCutByRowsInInference(Backend backend, int cols, int parts) {
    AtomicInteger handed = new AtomicInteger();
    Executor counting = task -> {
      handed.incrementAndGet();
      task.run();
    };
    int rows = 20_001;
    Tensor in = Tensors.normal(arena, rows, cols, 1);
    Tensor gain = Tensors.normal(arena, 1, cols, 2);
    Tensor mean = Tensors.normal(arena, 1, cols, 3);
    Tensor variance = Tensor.allocate(arena, DType.F32, 1, cols);
    for (int col = 0; col < cols; col++) {
      variance.set(0, col, 1 + col);
    }
    Tensor expected = Tensor.allocate(arena, DType.F32, rows, cols);
    BatchNorm.builder(gain).backend(backend).build().forward(in, expected, mean, variance);
    Tensor array = Tensor.ofArray(new float[rows * cols], 0, rows, cols);
    BatchNorm.builder(gain).backend(backend).build().forward(in, array, mean, variance);
    Tensors.assertSameBits(expected, array, "y on the heap");
    Tensor parallel = Tensor.allocate(arena, DType.F32, rows, cols);
    BatchNorm.builder(gain)
        .backend(backend)
        .parallel(counting, parts)
        .build()
        .forward(in, parallel, mean, variance);
    Tensors.assertSameBits(expected, parallel, "y in parts");
    assertEquals(parts - 1, handed.get(), "parts but the caller's");
  }

  private interface Gradients {
    void take(Tensor dy, Tensor x, Tensor dx, Tensor dGain, Tensor dBias);
  }

  /** Where they are cut: by blocks of rows or, 16 of one group being many elements, by columns. */
  @ParameterizedTest
  @MethodSource("dev.panorm.Panorm#availableBackends")
  void gradientsOnTheHeapHaveTheSameBits(Backend backend) {
    for (int groups = 1; groups <= 2; groups++) {
      gradientsOnTheHeapHaveTheSameBits(backend, 40, 2048, groups);
      gradientsOnTheHeapHaveTheSameBits(backend, 20, 16384, groups);
    }
  }

  private void gradientsOnTheHeapHaveTheSameBits(Backend backend, int rows, int cols, int groups) {
    Tensor in = Tensors.normal(arena, rows, cols, 1);
    Tensor gain = Tensors.normal(arena, 1, cols, 2);
    Tensor out = Tensor.allocate(arena, DType.F32, rows, cols);
    Tensor mean = Tensor.allocate(arena, DType.F32, rows, groups);
    Tensor inverse = Tensor.allocate(arena, DType.F32, rows, groups);
    RmsNorm rms = RmsNorm.builder(gain).groups(groups).backend(backend).build();
    rms.forward(in, out, inverse);
    assertSameOnTheHeap(in,
        (dy, x, dx, dGain, dBias) -> rms.backward(dy, x, inverse, dx, dGain, dBias));
    LayerNorm layer = LayerNorm.builder(gain).groups(groups).backend(backend).build();
    layer.forward(in, out, mean, inverse);
    assertSameOnTheHeap(in,
        (dy, x, dx, dGain, dBias) -> layer.backward(dy, x, mean, inverse, dx, dGain, dBias));
  }

  /** With dx apart, in place of dy, and of x. */
  private void assertSameOnTheHeap(Tensor in, Gradients gradients) {
    Tensor upstream = Tensors.normal(arena, in.rows(), in.cols(), 3);
    for (int place = 0; place < 3; place++) {
      Tensor[] expected = null;
      for (boolean heap : new boolean[] {false, true}) {
        Tensor x = copy(in, heap);
        Tensor dy = copy(upstream, heap);
        Tensor dx = List.of(copy(in, heap), dy, x).get(place);
        Tensor dGain = copy(in.row(0), heap);
        Tensor dBias = copy(in.row(0), heap);
        gradients.take(dy, x, dx, dGain, dBias);
        Tensor[] actual = {dx, dGain, dBias};
        for (int i = 0; heap && i < actual.length; i++) {
          String what = List.of("dx", "dGain", "dBias").get(i) + " on the heap";
          Tensors.assertSameBits(expected[i], actual[i], what);
        }
        expected = actual;
      }
    }
  }

  private Tensor copy(Tensor t, boolean heap) {
    return heap ? Tensors.copyOnHeap(t) : Tensors.copy(arena, t);
  }
}
