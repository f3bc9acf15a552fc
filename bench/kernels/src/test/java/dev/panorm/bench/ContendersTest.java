package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever is timed computes the right thing, at sizes around those of vectors and unrolled loops. */
class ContendersTest {
  static Stream<Side> sides() {
    return Contenders.all()
        .stream()
        .flatMap(c -> Stream.of(Operation.values())
            .flatMap(o -> Stream.of(Format.values()).map(f -> Side.of(c.name(), o, f)))
            .filter(side -> c.solves(side.problem())));
  }

  @ParameterizedTest
  @MethodSource("sides")
  void resultIsThatOfTheDefinition(Side side) {
    for (int rows : new int[] {1, 3}) {
      for (int cols = 1; cols < 300; cols += cols < 20 ? 1 : 13) {
        try (Arena arena = Arena.ofShared()) {
          Workload.of(side.problem(), rows, cols).solvedBy(side.who(), arena);
        }
      }
    }
  }
}
