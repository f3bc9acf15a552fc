package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Locale;

/** Two sides over a grid of shapes, in a JVM that runs nothing else. */
record Duel(Side first, Side second, List<Integer> rows, List<Integer> cols) {
  /** Who does what: {@code native:LAYER_NORM}, or {@code native} for RMSNorm. */
  record Side(Contender contender, Operation operation) {
    static Side of(String text) {
      String[] parts = text.split(":");
      return new Side(Contenders.of(parts[0]),
          parts.length > 1 ? Operation.valueOf(parts[1]) : Operation.RMS_NORM);
    }

    Task bind(int rows, int cols, Arena arena) {
      return Workload.of(operation, rows, cols).solvedBy(contender, arena);
    }

    @Override
    public String toString() {
      return contender.name() + ":" + operation;
    }
  }

  /** Measures every shape and prints a line for each: the shape, then the result. */
  void run(int pairs, long warmUpNanos) {
    // Once more than is reported: the first shapes see code that is still being compiled.
    for (int c : cols) {
      try (Arena arena = Arena.ofConfined()) {
        Pairing.measure(first.bind(1, c, arena), second.bind(1, c, arena), 1, warmUpNanos);
      }
    }
    for (int r : rows) {
      for (int c : cols) {
        try (Arena arena = Arena.ofConfined()) {
          Pairing.Result result = Pairing.measure(first.bind(r, c, arena), second.bind(r, c, arena),
              pairs, warmUpNanos);
          System.out.printf(Locale.ROOT,
              "%s %s %d x %d: %.1f and %.1f ns, ratio %.2f (quartiles %.2f to %.2f)%n", first,
              second, r, c, result.a(), result.b(), result.ratio(), result.lower(), result.upper());
        }
      }
    }
  }
}
