package dev.panorm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** What a generated use of an operator draws: the same again from the same seed. */
final class Draw {
  private static final Values[] VALUES = {Values.NORMAL, Values.NORMAL, Values.NORMAL,
    Values.AROUND_10000, Values.HUGE, Values.TINY, Values.SIGNED_ZEROS, Values.MIXED,
    Values.ONE_NAN};

  final SplittableRandom random;
  final long rows;
  final int groups;
  final long width;
  final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private final Values values;
  private final boolean heap;

  Draw(long seed, boolean grouped) {
    random = new SplittableRandom(seed);
    rows = 2 + random.nextInt(random.nextBoolean() ? 4 : 40);
    groups = grouped && random.nextBoolean() ? 1 + random.nextInt(3) : 1;
    width = 1 + random.nextInt(150);
    values = VALUES[random.nextInt(VALUES.length)];
    heap = random.nextInt(4) == 0;
  }

  boolean chance(int numerator, int denominator) {
    return random.nextInt(denominator) < numerator;
  }

  double epsilon() {
    return new double[] {0, 1e-12, 1e-5, 0.1}[random.nextInt(4)];
  }

  DType parameterType(DType x) {
    return random.nextBoolean() ? x : DType.F32;
  }

  static DType statisticType(DType x) {
    return x == DType.F64 ? DType.F64 : DType.F32;
  }

  private Tensor tensor(String name, DType type, long rows, long cols, long padding,
      Values values) {
    long stride = cols + padding;
    long bytes = rows * stride * type.byteSize();
    MemorySegment memory = heap
        ? MemorySegment.ofArray(new long[(int) (bytes / 8 + 1)])
        : Arena.ofAuto().allocate(bytes, 8);
    Tensor t = Tensor.ofSegment(memory, type, rows, cols, stride);
    if (values != null) {
      values.fill(t.segment(), new Argument(name, type.element, rows, cols, stride, values),
          random);
    }
    tensors.put(name, t);
    return t;
  }

  /** Rows at any stride. */
  private Tensor matrix(String name, DType type, Values values) {
    long padding = random.nextBoolean() ? 0 : random.nextInt(9);
    return tensor(name, type, rows, groups * width, padding, values);
  }

  Tensor contiguous(String name, DType type, long rows, long cols, Values values) {
    return tensor(name, type, rows, cols, 0, values);
  }

  Tensor input(String name, DType type) {
    return matrix(name, type, values);
  }

  Tensor gradient(String name, DType type) {
    return matrix(name, type, chance(3, 4) ? Values.NORMAL : values);
  }

  Tensor parameter(String name, DType type, GainLayout layout) {
    return contiguous(name, type, 1, length(layout), Values.NORMAL);
  }

  private long length(GainLayout layout) {
    return switch (layout) {
      case PER_COLUMN -> groups * width;
      case SHARED -> width;
      case PER_GROUP -> groups;
    };
  }

  /** A statistic of each group of each row. */
  Tensor statistic(String name, DType x) {
    return contiguous(name, statisticType(x), rows, groups, null);
  }

  Tensor copy(String name, Tensor x) {
    Tensor copy = matrix(name, x.type(), null);
    for (long row = 0; row < rows; row++) {
      copy.row(row).segment().copyFrom(x.row(row).segment());
    }
    return copy;
  }

  /** x itself now and then. */
  Tensor y(DType type, Tensor x) {
    return type == x.type() && chance(1, 4) ? x : matrix("y", type, null);
  }

  /** dy or x now and then, or null. */
  Tensor dx(Tensor dy, Tensor x) {
    return switch (random.nextInt(6)) {
      case 0 -> dy;
      case 1 -> x;
      case 2 -> null;
      default -> matrix("dx", x.type(), null);
    };
  }

  /** The gradient of a parameter; null now and then. */
  Tensor sum(String name, DType x, GainLayout layout) {
    return chance(1, 4) ? null : contiguous(name, statisticType(x), 1, length(layout), null);
  }
}
