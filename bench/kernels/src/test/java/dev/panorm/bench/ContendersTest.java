package dev.panorm.bench;

import dev.panorm.DType;
import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever is timed computes the right thing, at each width that is compared. */
class ContendersTest {
  static Stream<Object[]> all() {
    return Contenders.all()
        .stream()
        .flatMap(c -> Stream.of(Operation.values()).map(o -> new Object[] {c, o}));
  }

  @ParameterizedTest
  @MethodSource("all")
  void resultIsThatOfTheDefinition(Contender contender, Operation operation) {
    Assertions.assertTrue(contender.supports(operation, DType.F32));
    for (int rows : new int[] {1, 3}) {
      for (int cols : new int[] {64, 128, 384, 768, 1000, 1024, 2048, 4096, 8192}) {
        try (Arena arena = Arena.ofConfined()) {
          Workload workload = Workload.of(operation, DType.F32, rows, cols);
          Task task = contender.bind(workload, arena);
          task.run();
          workload.check(contender.name(), task.result(), workload.tolerance());
        }
      }
    }
  }
}
