package dev.panorm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every point of the grid of {@link NormBenchmark} computes the right thing. */
class NormBenchmarkTest {
  static List<Problem> problems() {
    return NormBenchmark.problems().stream().filter(problem -> !sides(problem).isEmpty()).toList();
  }

  private static List<String> sides(Problem problem) {
    return NormBenchmark.grid("side")
        .stream()
        .filter(side -> Contenders.of(side).solves(problem))
        .toList();
  }

  /** Of 15 problems four sides solve all, two f32 forward, one of these backward, one RMSNorm f32. */
  @Test
  void allThatIsSolvedIsOnTheGrid() {
    assertEquals(15, problems().size());
    assertEquals(4 * 15 + 2 * 4 + 2 + 1,
        problems().stream().mapToInt(problem -> sides(problem).size()).sum());
  }

  @ParameterizedTest
  @MethodSource("problems")
  void fewRows(Problem problem) {
    NormBenchmark.shapes().stream().filter(s -> s.rows() <= 16).forEach(s -> run(problem, s));
  }

  @Tag("slow")
  @ParameterizedTest
  @MethodSource("problems")
  void manyRows(Problem problem) {
    NormBenchmark.shapes().stream().filter(s -> s.rows() > 16).forEach(s -> run(problem, s));
  }

  private static void run(Problem problem, Shape shape) {
    NormBenchmark benchmark = new NormBenchmark();
    benchmark.operation = problem.operation();
    benchmark.format = problem.format();
    benchmark.rows = shape.rows();
    benchmark.cols = shape.cols();
    for (String side : sides(problem)) {
      benchmark.side = side;
      benchmark.bind();
      benchmark.call();
      benchmark.free();
    }
  }
}
