package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients of rows that epsilon outweighs: there the inverse is 1 / epsilon whatever x is, so dx is
 * dy / epsilon. On every backend, from the statistics that forward saved.
 */
class EpsilonGradientsTest {
  private record Tiny(DType type, double epsilon, double x, double dy) {}

  /** Rows and gradients that are computed in f32, or again in f64, each with and without the other. */
  static Stream<Tiny> tiny() {
    return Stream.of(new Tiny(DType.F32, 1, 1e-9, 1), new Tiny(DType.F32, 0x1p-20, 1e-15, 1),
        new Tiny(DType.F32, 1, 1e-9, 1e-30), new Tiny(DType.F32, 1e-12, 1e-20, 1),
        new Tiny(DType.F32, 1e-12, 1e-20, 1e-25), new Tiny(DType.F32, 1.24098e-15, 1e-24, 1),
        new Tiny(DType.BF16, 1, 1e-9, 1), new Tiny(DType.F64, 1, 1e-20, 1),
        new Tiny(DType.F64, 1e-12, 1e-30, 1e-25));
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void areThoseOfAConstantInverse(Tiny t) {
    double[] pattern = {1, 2, -1, 3, 0.5};
    for (Backend backend : Panorm.availableBackends()) {
      for (EpsilonMode mode : List.of(EpsilonMode.OUTSIDE, EpsilonMode.FLOOR)) {
        RmsNorm norm = RmsNorm.builder()
            .epsilon(t.epsilon)
            .epsilonMode(mode)
            .backend(backend)
            .build();
        try (Arena arena = Arena.ofConfined()) {
          DType statistic = t.type == DType.F64 ? DType.F64 : DType.F32;
          Tensor x = Tensor.allocate(arena, t.type, 1, pattern.length);
          Tensor dy = Tensor.allocate(arena, t.type, 1, pattern.length);
          Tensor y = Tensor.allocate(arena, t.type, 1, pattern.length);
          Tensor dx = Tensor.allocate(arena, t.type, 1, pattern.length);
          Tensor inverse = Tensor.allocate(arena, statistic, 1, 1);
          for (int i = 0; i < pattern.length; i++) {
            x.set(0, i, pattern[i] * t.x);
            dy.set(0, i, t.dy);
          }
          norm.forward(x, y, inverse);
          norm.backward(dy, x, inverse, dx, null, null);
          // Of an inverse and a product, each rounded; dy is rounded alike on both sides.
          double tolerance = t.type == DType.BF16 ? 0x1p-8 : 0x1p-22;
          for (int i = 0; i < pattern.length; i++) {
            assertEquals(1, dx.get(0, i) / (dy.get(0, i) / t.epsilon), tolerance,
                backend + " " + mode + " " + t + " column " + i);
          }
        }
      }
    }
  }
}
