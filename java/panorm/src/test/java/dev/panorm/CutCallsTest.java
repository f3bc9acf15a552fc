package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls that are made in several: with arrays, and on several threads. */
@Timeout(60)
class CutCallsTest {
  private static final int COLS = 2048;

  private static <B extends NormBuilder<B>> B with(B builder, Backend backend,
      SpinningThreads threads) {
    return threads == null ? builder.backend(backend) : builder.backend(backend).parallel(threads);
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
}
