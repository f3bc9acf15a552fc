package dev.panorm.bench;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  /** Side by side with what it can do, so that what a side drops is missed. */
  @ParameterizedTest
  @CsvSource({"native, F32 BF16 F16, true, true", "native-heap, F32 BF16 F16, true, true",
    "native-2, F32 BF16 F16, true, true", "plain, F32 BF16 F16, true, true",
    "vector, F32 BF16 F16, true, true", "scalar, F32, false, false",
    "vector-segment, F32, true, false"})
  void sideDoesAllForms(String contender, String formats, boolean backward, boolean int8) {
    List<Side> all = new ArrayList<>();
    for (String format : formats.split(" ")) {
      for (Operation operation : Operation.values()) {
        boolean does = switch (operation) {
          case COPY -> false;
          case RMS_NORM_READ ->
            List.of("native:F32", "vector-segment:F32").contains(contender + ":" + format);
          case RMS_NORM_INT8 -> int8 && format.equals("F32");
          case RMS_NORM_BACKWARD, LAYER_NORM_BACKWARD -> backward && format.equals("F32");
          default -> true;
        };
        if (does) {
          all.add(Side.of(contender, operation, Format.valueOf(format)));
        }
      }
    }
    assertEquals(Set.copyOf(all),
        sides().filter(side -> side.contender().equals(contender)).collect(toSet()));
  }

  @ParameterizedTest
  @CsvSource({"raw, RMS_NORM", "c-loop, RMS_NORM", "native-add-apart, ADD_RMS_NORM", "memcpy, COPY",
    "segment-copy, COPY"})
  void sideDoesOneThing(String contender, Operation operation) {
    assertEquals(List.of(Side.of(contender, operation, Format.F32)),
        sides().filter(side -> side.contender().equals(contender)).toList());
  }

  @ParameterizedTest
  @MethodSource("sides")
  void resultIsThatOfTheDefinition(Side side) {
    for (int rows : new int[] {1, 3}) {
      for (int cols = 1; cols < 300; cols += cols < 20 ? 1 : 13) {
        solve(side, rows, cols);
      }
    }
    if (side.who().threads() == 2) {
      solve(side, 64, 1100); // Smaller calls are not divided.
    }
  }

  @Test
  void resultIsCheckedAgain() {
    Side side = Side.of("plain", Operation.RMS_NORM, Format.F32);
    Workload workload = Workload.of(side.problem(), 1, 3);
    Task task = workload.solvedBy(side.who(), Arena.global());
    workload.checkAgain(side.who(), task, Arena.global());
    Task wrong = new Task(() -> {}, () -> new float[3]);
    assertThrows(IllegalStateException.class,
        () -> workload.checkAgain(side.who(), wrong, Arena.global()));
  }

  private static void solve(Side side, int rows, int cols) {
    try (Arena arena = Arena.ofShared()) {
      Workload.of(side.problem(), rows, cols).solvedBy(side.who(), arena);
    }
  }
}
