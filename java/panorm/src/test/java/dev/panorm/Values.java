package dev.panorm;

import dev.panorm.internal.Element;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;

/** Classes of values that a buffer is filled with: each exercises another corner of the range. */
enum Values {
  NORMAL {
    @Override
    double next(RandomGenerator random, Range range) {
      return random.nextGaussian();
    }
  },
  SIGNED_ZEROS {
    @Override
    double next(RandomGenerator random, Range range) {
      return switch (random.nextInt(3)) {
        case 0 -> 0.0;
        case 1 -> -0.0;
        default -> random.nextGaussian();
      };
    }
  },
  ALL_ZERO {
    @Override
    double next(RandomGenerator random, Range range) {
      return random.nextBoolean() ? 0.0 : -0.0;
    }
  },
  SUBNORMAL {
    @Override
    double next(RandomGenerator random, Range range) {
      return sign(random) * random.nextLong(1L << range.fractionBits) * range.smallest();
    }
  },
  /** The smallest normal numbers: their squares underflow. */
  TINY {
    @Override
    double next(RandomGenerator random, Range range) {
      return withExponent(random, random.nextInt(range.minExponent, range.minExponent + 12));
    }
  },
  /** From 2^-27 of the largest number up (1e30 for F32): their squares overflow. */
  HUGE {
    @Override
    double next(RandomGenerator random, Range range) {
      return random.nextInt(8) == 0
          ? sign(random) * range.largest()
          : withExponent(random, random.nextInt(range.maxExponent - 27, range.maxExponent + 1));
    }
  },
  /** Unit variance around 10,000, where one-pass variances fail. */
  AROUND_10000 {
    @Override
    double next(RandomGenerator random, Range range) {
      return 10_000 + random.nextGaussian();
    }
  },
  /** One NaN, in the middle row. */
  ONE_NAN {
    @Override
    double next(RandomGenerator random, Range range) {
      return random.nextGaussian();
    }

    @Override
    void finish(MemorySegment segment, Argument argument, RandomGenerator random) {
      put(segment, argument, argument.rows() / 2, random, Double.NaN);
    }
  },
  /** An infinity in each row but the first, NaN here and there. */
  INFINITE {
    @Override
    double next(RandomGenerator random, Range range) {
      return random.nextInt(500) == 0 ? Double.NaN : random.nextGaussian();
    }

    @Override
    void finish(MemorySegment segment, Argument argument, RandomGenerator random) {
      for (long row = 1; row < argument.rows(); row++) {
        put(segment, argument, row, random, sign(random) * Double.POSITIVE_INFINITY);
      }
    }
  },
  /** Any finite exponent. */
  MIXED {
    @Override
    double next(RandomGenerator random, Range range) {
      return withExponent(random, random.nextInt(range.minExponent, range.maxExponent + 1));
    }
  };

  /** Fills all rows of an argument; the gaps between them stay as they are. */
  final void fill(MemorySegment segment, Argument argument, RandomGenerator random) {
    Range range = Range.of(argument.type());
    for (long row = 0; row < argument.rows(); row++) {
      for (long col = 0; col < argument.cols(); col++) {
        double value = next(random, range);
        store(segment, argument.type(), row * argument.stride() + col, value, random);
      }
    }
    finish(segment, argument, random);
  }

  abstract double next(RandomGenerator random, Range range);

  void finish(MemorySegment segment, Argument argument, RandomGenerator random) {}

  static double sign(RandomGenerator random) {
    return random.nextBoolean() ? 1 : -1;
  }

  private static double withExponent(RandomGenerator random, int exponent) {
    double significand = 1 + random.nextInt(1 << 20) * 0x1p-21; // below 1.5: rounding stays finite
    return sign(random) * Math.scalb(significand, exponent);
  }

  private static void put(MemorySegment segment, Argument a, long row, RandomGenerator random,
      double value) {
    if (a.rows() > 0 && a.cols() > 0) {
      store(segment, a.type(), row * a.stride() + random.nextLong(a.cols()), value, random);
    }
  }

  /** A NaN becomes any, quiet or not: often one with ones in the lowest bits only, or in all. */
  private static void store(MemorySegment segment, Element type, long index, double value,
      RandomGenerator random) {
    if (!Double.isNaN(value)) {
      type.set(segment, index, value);
      return;
    }
    int fractionBits = Range.of(type).fractionBits;
    long all = (1L << fractionBits) - 1;
    long fraction = random.nextInt(4) == 0
        ? all
        : 1 + random.nextLong(all >> random.nextInt(fractionBits));
    long sign = random.nextBoolean() ? 0 : 1L << 8 * type.size - 1;
    long bits = (-1L << fractionBits | fraction) ^ sign;
    Tensors.putBits(segment, type.size, index, bits);
  }

  /** The finite range of an element type. */
  record Range(int minExponent, int maxExponent, int fractionBits) {
    static Range of(Element type) {
      return switch (type) {
        case F32 -> new Range(-126, 127, 23);
        case F64 -> new Range(-1022, 1023, 52);
        case F16 -> new Range(-14, 15, 10);
        case BF16 -> new Range(-126, 127, 7);
        case I8 -> throw new IllegalArgumentException("never an input");
      };
    }

    double smallest() {
      return Math.scalb(1.0, minExponent - fractionBits);
    }

    double largest() {
      return Math.scalb(2 - Math.scalb(1.0, -fractionBits), maxExponent);
    }
  }
}
