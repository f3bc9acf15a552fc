package dev.panorm.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Which duels are fought: the grid is that of {@link NormBenchmark}, for a quick run a part. */
record Duels(boolean full) {
  private static final Problem RMS = new Problem(Operation.RMS_NORM, Format.F32);
  private static final Problem READ_RMS = new Problem(Operation.RMS_NORM_READ, Format.F32);

  /** Rows that outgrow the caches of most processors. */
  private static final Shape LARGE = new Shape(512, 4096);

  /** Beyond the last cache of most. */
  private static final Shape HUGE = new Shape(4096, 4096);

  private static final Shape MIDDLE = new Shape(16, 1024);

  /** In the caches, where an array that begins at no cache line counts, and beyond. */
  private static final List<Shape> ON_ARRAYS = List.of(new Shape(1, 128), new Shape(1, 1024),
      MIDDLE, LARGE);

  /** Batches between the others, for RMSNorm and other libraries. */
  private static final List<Shape> BATCHES = List.of(new Shape(16, 4096), new Shape(128, 4096),
      new Shape(512, 1024));

  /** Of which the library stores y past the caches, so that a reader has to fetch it again. */
  private static final List<Shape> READ = List.of(LARGE, HUGE);

  /** A batch of the paper's RNNs, which have these norms. */
  private static final List<Shape> RNN = List.of(new Shape(128, 1024), new Shape(128, 2048));
  private static final List<Operation> RNN_NORMS = List.of(Operation.RMS_NORM,
      Operation.PARTIAL_RMS_NORM, Operation.ADD_RMS_NORM, Operation.LAYER_NORM);

  /** The workload's numbers, its result in double precision, a contender's: 20 bytes, and room. */
  private static final int HEAP_AN_ELEMENT = 32;

  /** From so many elements on the library divides a call between two threads. */
  private static final int DIVIDED_ELEMENTS = 1 << 15;

  private static final Shape BEYOND = beyond(Environment.here().l3(),
      Runtime.getRuntime().maxMemory());

  /** The duels of a section; none if it has no duels. */
  List<Duel> of(Section section) {
    return switch (section) {
      case JAVA -> java();
      case FORMS -> forms();
      case LIMIT -> limit();
      case CALL -> List.of(duel(side("native", RMS), side("raw", RMS), new Shape(1, 64)),
          duel(side("native", RMS), side("c-loop", RMS), new Shape(1, 64)));
      case PEERS -> peers();
      case START_UP, LATENCY, JMH -> List.of();
    };
  }

  private List<Duel> java() {
    List<Duel> duels = new ArrayList<>();
    for (Problem problem : NormBenchmark.problems()) {
      for (String opponent : List.of("plain", "scalar", "vector", "vector-segment",
          "native-heap")) {
        add(duels, side("native", problem), side(opponent, problem),
            problem.equals(RMS) && opponent.startsWith("vector")
                ? shapesAndBatches()
                : shapes(problem));
      }
      // What is faster for those who have arrays?
      add(duels, side("native-heap", problem), side("vector", problem),
          full || problem.equals(RMS) ? shapes(problem) : ON_ARRAYS);
    }
    for (String opponent : List.of("vector", "vector-segment")) {
      add(duels, side("native", RMS), side(opponent, RMS), List.of(BEYOND));
    }
    add(duels, side("native", READ_RMS), side("vector-segment", READ_RMS), READ);
    return duels;
  }

  /** One row at every width for what is used most. */
  private List<Shape> shapes(Problem problem) {
    if (full) {
      return NormBenchmark.shapes();
    }
    List<Shape> shapes = new ArrayList<>();
    for (Shape shape : NormBenchmark.shapes(1)) {
      if (problem.equals(RMS) || List.of(128, 1024, 4096).contains(shape.cols())) {
        shapes.add(shape);
      }
    }
    shapes.add(MIDDLE);
    if (RNN_NORMS.contains(problem.operation()) && problem.format() == Format.F32) {
      shapes.addAll(RNN);
    }
    shapes.add(LARGE);
    return shapes;
  }

  private List<Shape> shapesAndBatches() {
    List<Shape> shapes = shapes(RMS);
    return full ? shapes : Stream.concat(shapes.stream(), BATCHES.stream()).toList();
  }

  private List<Duel> forms() {
    List<Shape> shapes = new ArrayList<>(NormBenchmark.shapes(1));
    shapes.add(MIDDLE);
    shapes.add(LARGE);
    Side rms = side("native", RMS);
    List<Duel> duels = new ArrayList<>();
    add(duels, rms, Side.of("native", Operation.LAYER_NORM, Format.F32), shapes);
    add(duels, Side.of("native", Operation.PARTIAL_RMS_NORM, Format.F32), rms, shapes);
    add(duels, Side.of("native", Operation.ADD_RMS_NORM, Format.F32),
        Side.of("native-add-apart", Operation.ADD_RMS_NORM, Format.F32), shapes);
    add(duels, Side.of("native", Operation.RMS_NORM, Format.BF16), rms, shapes);
    add(duels, Side.of("native", Operation.RMS_NORM, Format.F16), rms, shapes);
    add(duels, rms, Side.of("native", Operation.RMS_NORM_BACKWARD, Format.F32), shapes);
    return duels;
  }

  private List<Duel> limit() {
    List<Shape> shapes = new ArrayList<>(NormBenchmark.shapes(1));
    shapes.addAll(List.of(MIDDLE, new Shape(128, 1024), new Shape(512, 1024), LARGE, HUGE));
    if (!BEYOND.equals(HUGE)) {
      shapes.add(BEYOND);
    }
    List<Duel> duels = new ArrayList<>();
    for (String copy : List.of("memcpy", "segment-copy")) {
      add(duels, Side.of(copy, Operation.COPY, Format.F32), side("native", RMS), shapes);
    }
    return duels;
  }

  /**
   * x and y together are twice the last cache, or as much as a JVM of such a heap can check; at
   * least HUGE.
   */
  static Shape beyond(long cacheBytes, long heapBytes) {
    long elements = Math.min(cacheBytes / Float.BYTES, heapBytes / HEAP_AN_ELEMENT);
    long rows = Math.min(Math.ceilDiv(elements, HUGE.cols()), Shape.MAX_ELEMENTS / HUGE.cols());
    return new Shape((int) Math.max(rows, HUGE.rows()), HUGE.cols());
  }

  private List<Duel> peers() {
    List<Duel> duels = new ArrayList<>();
    for (Contender peer : Contenders.peers()) {
      for (Operation operation : Operation.values()) {
        Problem problem = new Problem(operation, Format.F32);
        boolean pair = peer.threads() == 2;
        List<Shape> shapes = pair
            ? divided()
            : new ArrayList<>(problem.equals(READ_RMS) ? READ : shapesAndBatches());
        if (!pair && problem.equals(RMS)) {
          shapes.add(BEYOND);
        }
        if (peer.solves(problem)) {
          add(duels, side(pair ? "native-2" : "native", problem), side(peer.name(), problem),
              shapes);
        }
      }
    }
    // What the second thread gains, beside the others on two.
    for (Operation operation : List.of(Operation.RMS_NORM, Operation.ADD_RMS_NORM)) {
      Problem problem = new Problem(operation, Format.F32);
      add(duels, side("native-2", problem), side("native", problem), divided());
    }
    return duels;
  }

  /** Those of which each of two threads does a part. */
  private List<Shape> divided() {
    return shapes(RMS).stream()
        .filter(shape -> shape.rows() > 1 && shape.elements() >= DIVIDED_ELEMENTS)
        .toList();
  }

  private static Side side(String contender, Problem problem) {
    return new Side(contender, problem);
  }

  private static Duel duel(Side first, Side second, Shape... shapes) {
    return new Duel(first, second, List.of(shapes));
  }

  /** Only what both can do. */
  private static void add(List<Duel> duels, Side first, Side second, List<Shape> shapes) {
    if (Contenders.of(first.contender()).solves(first.problem())
        && Contenders.of(second.contender()).solves(second.problem())) {
      duels.add(new Duel(first, second, shapes));
    }
  }
}
