package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Two sides over some shapes, in JVMs that run nothing else. */
record Duel(Side first, Side second, List<Shape> shapes) {
  /** After so many rows their loops have been compiled. */
  private static final int COMPILED_ROWS = 20_000;

  /** The compiler is quiet if it works no longer than this in that time. */
  private static final long QUIET_MILLIS = 50;
  private static final long QUIET_NANOS = 500_000_000;

  /** After so long it is not waited for. */
  private static final long WARM_UP_NANOS = 6_000_000_000L;

  /** Elements of a shape that is prepared in no time. */
  private static final int SMALL = 1 << 16;

  /** The threads of other libraries spin for some milliseconds after a call. */
  private static final long SPIN_NANOS = 20_000_000;

  /**
   * One shape's outcome.
   *
   * @param result of the JVM in the middle, by its ratio; of an even number, the one where the
   *     first does worse
   * @param least the ratio of the JVM where the second does best
   * @param most the ratio of the JVM where the first does best
   */
  record Outcome(String first, String second, int rows, int cols, Pairing.Result result,
      double least, double most) {
    Shape shape() {
      return new Shape(rows, cols);
    }

    /** What the first side computes. */
    Problem problem() {
      return Side.of(first, null).problem();
    }

    /** Of one shape in several JVMs. */
    static Outcome of(List<Outcome> jvms) {
      List<Outcome> sorted = jvms.stream()
          .sorted(Comparator.comparingDouble(outcome -> outcome.result.ratio()))
          .toList();
      Outcome middle = sorted.get((sorted.size() - 1) / 2);
      return new Outcome(middle.first, middle.second, middle.rows, middle.cols, middle.result,
          sorted.getFirst().least, sorted.getLast().most);
    }
  }

  /**
   * Measures every shape in so many JVMs, one after the other: what the compiler makes of a side
   * differs from one to the next, now and then by a factor of three.
   */
  void inChildren(int jvms, int pairs, int warmUpMillis, Consumer<Outcome> out) {
    Map<Shape, List<Outcome>> outcomes = new LinkedHashMap<>();
    for (int i = 0; i < jvms; i++) {
      inChild(pairs, warmUpMillis,
          outcome -> outcomes.computeIfAbsent(outcome.shape(), _ -> new ArrayList<>())
              .add(outcome));
    }
    outcomes.values().forEach(jvm -> out.accept(Outcome.of(jvm)));
  }

  private void inChild(int pairs, int warmUpMillis, Consumer<Outcome> out) {
    Child.run(Child.java(List.of(Child.VECTOR_MODULE, Child.NATIVE_ACCESS), Main.class.getName(),
        "duel", "--machine", first.toString(), second.toString(), "--pairs", String.valueOf(pairs),
        "--warm-up", String.valueOf(warmUpMillis), "--shapes",
        String.join(",", shapes.stream().map(Shape::toString).toList())), Outcome.class, out);
  }

  /** Measures every shape in this JVM. */
  void run(int pairs, long warmUpNanos, Consumer<Outcome> out) {
    Contender a = first.who();
    Contender b = second.who();
    warmUp(a, b, warmUpNanos);
    for (Shape shape : shapes) {
      Pairing.Result result = measure(a, b, shape, pairs, warmUpNanos);
      out.accept(new Outcome(first.toString(), second.toString(), shape.rows(), shape.cols(),
          result, result.ratio(), result.ratio()));
    }
  }

  /** Until the compiler is quiet; with large shapes only if there are no others. */
  private void warmUp(Contender a, Contender b, long warmUpNanos) {
    List<Shape> small = shapes.stream().filter(shape -> shape.elements() <= SMALL).toList();
    List<Shape> some = small.isEmpty() ? shapes : small;
    long end = System.nanoTime() + WARM_UP_NANOS;
    long before;
    do {
      before = compiled();
      for (Shape shape : some) {
        measure(a, b, shape, 1, Math.max(warmUpNanos, QUIET_NANOS / some.size()));
      }
    } while (compiled() - before > QUIET_MILLIS && System.nanoTime() < end);
  }

  /** How many milliseconds the JVM's compiler has worked. */
  private static long compiled() {
    return ManagementFactory.getCompilationMXBean().getTotalCompilationTime();
  }

  private Pairing.Result measure(Contender a, Contender b, Shape shape, int pairs,
      long warmUpNanos) {
    boolean one = a.threads() == 1 && b.threads() == 1;
    Workload ofFirst = Workload.of(first.problem(), shape.rows(), shape.cols());
    Workload ofSecond = Workload.of(second.problem(), shape.rows(), shape.cols());
    try (Arena arena = one ? Arena.ofConfined() : Arena.ofShared()) {
      Task taskOfA = ofFirst.solvedBy(a, arena);
      Task taskOfB = ofSecond.solvedBy(b, arena);
      Pairing.Result result = Pairing.measure(taskOfA, taskOfB,
          Math.ceilDiv(COMPILED_ROWS, shape.rows()), pairs, warmUpNanos, one ? 0 : SPIN_NANOS);
      ofFirst.checkAgain(a, taskOfA, arena);
      ofSecond.checkAgain(b, taskOfB, arena);
      return result;
    }
  }
}
