package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.util.stream.Stream;
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
    for (int rows : new int[] {1, 3}) {
      for (int cols : new int[] {64, 128, 384, 768, 1000, 1024, 2048, 4096, 8192}) {
        try (Arena arena = Arena.ofConfined()) {
          Workload.of(operation, rows, cols).solvedBy(contender, arena);
        }
      }
    }
  }
}
