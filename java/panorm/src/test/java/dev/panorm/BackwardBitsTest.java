package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.internal.BackwardCall;
import dev.panorm.internal.Element;
import dev.panorm.internal.ForwardCall;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Backward kernels and BatchNorm, by the kernels' own interface: every backend against Java bit for
 * bit, and cut into pieces against whole.
 */
class BackwardBitsTest {
  private static final int[] LAYOUTS = {Options.GAIN_PER_COLUMN, Options.GAIN_SHARED,
    Options.GAIN_PER_GROUP, Options.GAIN_PER_ROW};
  private static final double[] SCALES = {1, 1e-3, 1e18, 1e30, 1e-30, 1e-41};

  /** How many calls were cut in order, and how. */
  private int cutByColumns;
  private int cutByBlocks;

  private record Shape(long rows, long groups, long width, long span) {
    static Shape draw(Op op, RandomGenerator random) {
      long width = 1 + random.nextInt(150);
      boolean batch = op.compareTo(Op.BATCH_NORM) >= 0;
      long span = op == Op.RMS_NORM_BACKWARD ? 1 + random.nextLong(width) : width;
      boolean oneRow = !batch && random.nextBoolean(); // which goes a way of its own
      long rows = oneRow ? 1 : 1 + random.nextInt(40);
      return new Shape(rows, batch ? 1 : 1 + random.nextInt(3), width, span);
    }

    long parameters() {
      return Math.max(groups * width, rows);
    }

    /** Room for a statistic of each row and group, or of each column. */
    long statistics() {
      return Math.max(rows * groups, width);
    }
  }

  private static MemorySegment values(Arena arena, Element type, long count, double scale,
      double offset, RandomGenerator random) {
    MemorySegment segment = arena.allocate(count * type.size, 8);
    for (long i = 0; i < count; i++) {
      boolean zero = offset == 0 && random.nextInt(8) == 0; // of either sign, once multiplied
      type.set(segment, i, zero ? -0.0 : random.nextGaussian() * scale + offset);
    }
    return segment;
  }

  private static List<Double> read(MemorySegment segment, Element type) {
    List<Double> values = new ArrayList<>();
    for (long i = 0; i < segment.byteSize() / type.size; i++) {
      values.add(type.get(segment, i)); // Double.equals tells the zeros apart, and no NaNs
    }
    return values;
  }

  static Stream<Object[]> gradients() {
    return Stream.of(Op.RMS_NORM_BACKWARD, Op.LAYER_NORM_BACKWARD, Op.BATCH_NORM_BACKWARD)
        .flatMap(op -> Stream.of(DType.F32, DType.F64, DType.F16, DType.BF16)
            .map(type -> new Object[] {op, type}));
  }

  private static List<List<Double>> backward(Kernel kernel, Shape s, Arena arena, int options,
      double scale, long seed, Consumer<BackwardCall> how) {
    RandomGenerator random = new SplittableRandom(seed);
    Element type = kernel.x();
    Element statistic = Element.statisticOf(type);
    long stride = s.groups * s.width + 2;
    MemorySegment dy = values(arena, type, s.rows * stride, scale, 0, random);
    MemorySegment x = values(arena, type, s.rows * stride, 1, 0, random);
    MemorySegment gain = values(arena, type, s.parameters(), 1, 0, random);
    MemorySegment stat0 = values(arena, statistic, s.statistics(), 1, 1, random);
    MemorySegment stat1 = values(arena, statistic, s.statistics(), 0.1, 1, random);
    if (random.nextInt(4) == 0) { // the inverse of a row so small that f32 cannot hold it
      statistic.set(stat0, 0, Double.POSITIVE_INFINITY);
    }
    MemorySegment dGain = arena.allocate(s.parameters() * statistic.size, 8);
    MemorySegment dBias = arena.allocate(s.parameters() * statistic.size, 8);
    MemorySegment dx = random.nextBoolean() ? dy : arena.allocate(dy.byteSize(), 8);
    double offset = random.nextInt(3) == 0 ? 1 : 0;
    long divisor = s.span * (1 + random.nextInt(2));
    how.accept(new BackwardCall(kernel, dy, x, gain, stat0, stat1, dx, dGain, dBias, s.rows,
        s.groups, s.width, s.span, stride, stride, stride, 1e-5, offset, divisor, options, false));
    return List.of(read(dx, type), read(dGain, statistic), read(dBias, statistic));
  }

  private static void runReversed(BackwardCall call) {
    call.cut(3).forEach(step -> step.reversed().forEach(BackwardCall::run));
  }

  private void runInOrder(BackwardCall call) {
    List<BackwardCall> pieces = call.cutInOrder(50);
    if (pieces.stream().anyMatch(piece -> piece.width() < call.width())) {
      cutByColumns++;
    }
    if (pieces.stream().anyMatch(piece -> (piece.options() & Options.ADD_GRADIENTS) != 0)) {
      cutByBlocks++;
    }
    pieces.forEach(BackwardCall::run);
  }

  @ParameterizedTest
  @MethodSource("gradients")
  void backwardHasTheSameBits(Op op, DType type) {
    RandomGenerator random = new SplittableRandom(7);
    for (int i = 0; i < 200; i++) {
      Shape shape = Shape.draw(op, random);
      boolean batch = op == Op.BATCH_NORM_BACKWARD;
      int options = batch ? 0 : LAYOUTS[i % 4] | random.nextInt(3);
      double scale = type == DType.F16 ? 1 : SCALES[random.nextInt(SCALES.length)];
      try (Arena arena = Arena.ofConfined()) {
        Kernel java = Backends.kernel(op, type, type, Backend.JAVA);
        List<List<Double>> expected = backward(java, shape, arena, options, scale, i,
            BackwardCall::run);
        for (Backend backend : Panorm.availableBackends()) {
          Kernel kernel = Backends.kernel(op, type, type, backend);
          String what = op + " " + type + " " + backend + " " + shape + " " + options + " " + scale;
          assertEquals(expected,
              backward(kernel, shape, arena, options, scale, i, BackwardCall::run), what);
          assertEquals(expected,
              backward(kernel, shape, arena, options, scale, i, BackwardBitsTest::runReversed),
              what + " in pieces");
          assertEquals(expected,
              backward(kernel, shape, arena, options, scale, i, this::runInOrder),
              what + " in order");
        }
      }
    }
    assertTrue(cutByColumns > 10, "calls cut by columns: " + cutByColumns);
    assertTrue(op == Op.BATCH_NORM_BACKWARD || cutByBlocks > 10,
        "calls cut by blocks of rows: " + cutByBlocks);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "F16", "BF16"})
  void batchNormHasTheSameBits(DType type) {
    RandomGenerator random = new SplittableRandom(8);
    for (int i = 0; i < 100; i++) {
      Op op = i % 3 == 0 ? Op.BATCH_NORM_INFERENCE : Op.BATCH_NORM;
      Shape shape = Shape.draw(op, random);
      double scale = type == DType.F16 ? 1 : SCALES[random.nextInt(SCALES.length)];
      try (Arena arena = Arena.ofConfined()) {
        Kernel java = Backends.kernel(op, type, type, Backend.JAVA);
        List<List<Double>> expected = batch(java, shape, arena, scale, i, 1);
        for (Backend backend : Panorm.availableBackends()) {
          Kernel kernel = Backends.kernel(op, type, type, backend);
          String what = op + " " + type + " " + backend + " " + shape + " " + scale;
          assertEquals(expected, batch(kernel, shape, arena, scale, i, 1), what);
          assertEquals(expected, batch(kernel, shape, arena, scale, i, 3), what + " in pieces");
        }
      }
    }
  }

  private static List<List<Double>> batch(Kernel kernel, Shape s, Arena arena, double scale,
      long seed, long parts) {
    RandomGenerator random = new SplittableRandom(seed);
    Element type = kernel.x();
    Element statistic = Element.statisticOf(type);
    long stride = s.width + 2;
    MemorySegment x = values(arena, type, s.rows * stride, scale, 3 * scale, random);
    MemorySegment gain = values(arena, type, s.width, 1, 0, random);
    MemorySegment bias = random.nextBoolean()
        ? values(arena, type, s.width, 1, 0, random)
        : MemorySegment.NULL;
    MemorySegment variance = arena.allocate(s.width * statistic.size, 8);
    MemorySegment mean = values(arena, statistic, s.width, 1, 0, random);
    MemorySegment inverse = values(arena, statistic, s.width, 0.1, 2, random);
    MemorySegment y = random.nextBoolean() ? x : arena.allocate(x.byteSize(), 8);
    double epsilon = random.nextBoolean() ? 1e-5 : 0;
    ForwardCall call = new ForwardCall(kernel, x, variance, gain, bias, y, mean, inverse, s.rows, 1,
        s.width, s.width, stride, 0, stride, epsilon, random.nextInt(2), s.rows, 0, false);
    if (parts == 1) {
      call.run();
    } else {
      call.cut(parts).reversed().forEach(ForwardCall::run);
    }
    return List.of(read(y, type), read(mean, statistic), read(inverse, statistic),
        read(variance, statistic));
  }
}
