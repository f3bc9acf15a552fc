package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.Consumer;

/** Two sides over some shapes, in a JVM that runs nothing else. */
record Duel(Side first, Side second, List<Shape> shapes) {
  /** After so many rows their loops have been compiled. */
  private static final int COMPILED_ROWS = 20_000;

  /** One shape's outcome. */
  record Outcome(String first, String second, int rows, int cols, Pairing.Result result) {
    Shape shape() {
      return new Shape(rows, cols);
    }
  }

  /** Measures every shape in a JVM of its own. */
  void inChild(int pairs, int warmUpMillis, Consumer<Outcome> out) {
    Child.run(Child.java(List.of(Child.VECTOR_MODULE, Child.NATIVE_ACCESS), Main.class.getName(),
        "duel", "--machine", first.toString(), second.toString(), "--pairs", String.valueOf(pairs),
        "--warm-up", String.valueOf(warmUpMillis), "--shapes",
        String.join(",", shapes.stream().map(Shape::toString).toList())), Outcome.class, out);
  }

  /** Measures every shape in this JVM. */
  void run(int pairs, long warmUpNanos, Consumer<Outcome> out) {
    Contender a = first.who();
    Contender b = second.who();
    for (Shape shape : shapes) {
      measure(a, b, shape, 1, warmUpNanos);
    }
    for (Shape shape : shapes) {
      Pairing.Result result = measure(a, b, shape, pairs, warmUpNanos);
      out.accept(
          new Outcome(first.toString(), second.toString(), shape.rows(), shape.cols(), result));
    }
  }

  private Pairing.Result measure(Contender a, Contender b, Shape shape, int pairs,
      long warmUpNanos) {
    boolean one = a.threads() == 1 && b.threads() == 1;
    try (Arena arena = one ? Arena.ofConfined() : Arena.ofShared()) {
      return Pairing.measure(bind(a, first, shape, arena), bind(b, second, shape, arena),
          Math.ceilDiv(COMPILED_ROWS, shape.rows()), pairs, warmUpNanos);
    }
  }

  private static Task bind(Contender who, Side side, Shape shape, Arena arena) {
    return Workload.of(side.problem(), shape.rows(), shape.cols()).solvedBy(who, arena);
  }
}
