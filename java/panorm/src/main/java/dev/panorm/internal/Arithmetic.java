package dev.panorm.internal;

/**
 * Arithmetic in one precision: what a kernel does with a vector type, on one element. Values are
 * carried as {@code double}; in single precision each operation rounds to {@code float}, which
 * gives exactly the {@code float} operation (a double has more than twice a float's digits).
 */
enum Arithmetic {
  SINGLE, DOUBLE;

  /** The precision in which rows of a type are computed. */
  static Arithmetic of(Element x) {
    return x == Element.F64 ? DOUBLE : SINGLE;
  }

  /** Virtual lanes of a reduction. */
  int lanes() {
    return this == SINGLE ? 64 : 32;
  }

  double round(double value) {
    return this == SINGLE ? (float) value : value;
  }

  double fma(double a, double b, double c) {
    return this == SINGLE ? Math.fma((float) a, (float) b, (float) c) : Math.fma(a, b, c);
  }

  double sqrt(double value) {
    return round(Math.sqrt(value));
  }

  /** Element i of a row has met lane i mod lanes; the lanes are folded by halving. */
  double fold(double[] acc) {
    for (int half = lanes() / 2; half > 0; half /= 2) {
      for (int j = 0; j < half; j++) {
        acc[j] = round(acc[j] + acc[j + half]);
      }
    }
    return acc[0];
  }

  /** The one in the middle: no outlier, if one of them is. */
  static double median(double a, double b, double c) {
    double low = b < a ? b : a;
    double high = b < a ? a : b;
    double middle = c < high ? c : high;
    return middle > low ? middle : low;
  }

  /** Whether a root of this loses nothing; in double precision there is nothing to fall back on. */
  boolean safe(double radicand) {
    return this == DOUBLE || (radicand >= 0x1p-96 && radicand < Double.POSITIVE_INFINITY);
  }

  /** Mean square plus epsilon, if that goes inside the root. */
  double radicand(double meanSquare, double epsilon, int options) {
    boolean inside = (options & Options.EPSILON_MASK) == Options.EPSILON_INSIDE;
    return inside ? round(meanSquare + round(epsilon)) : meanSquare;
  }

  double inverseRoot(double radicand, double epsilon, int options) {
    double root = sqrt(radicand);
    double e = round(epsilon);
    return switch (options & Options.EPSILON_MASK) {
      case Options.EPSILON_OUTSIDE -> round(1 / round(root + e));
      case Options.EPSILON_FLOOR -> round(1 / (root < e ? e : root));
      default -> round(1 / root);
    };
  }

  /** Whether a sum of gradients has neither overflowed nor lost digits. */
  boolean safeGradient(double sum) {
    double m = Math.abs(sum);
    return this == DOUBLE || m == 0 || (m >= 0x1p-80 && m < Double.POSITIVE_INFINITY);
  }

  /** Whether an inverse has all its digits. */
  boolean safeInverse(double inverse) {
    return this == DOUBLE || inverse >= 0x1p-126;
  }

  /**
   * sum(u * xhat) / divisor, with the change that epsilon makes to the derivative of the root.
   *
   * @param saved the precision in which the inverse was saved
   */
  double slope(double dot, double inverse, double divisor, double epsilon, int options,
      Arithmetic saved) {
    double d = round(divisor);
    int mode = options & Options.EPSILON_MASK;
    if (mode == Options.EPSILON_OUTSIDE) {
      // The root's share of root + epsilon. One that is all rounding would be divided by.
      double share = fma(-round(epsilon), inverse, 1);
      if (share < (saved == SINGLE ? 0x1p-22 : 0x1p-51)) {
        return 0;
      }
      d = round(d * share);
    } else if (mode == Options.EPSILON_FLOOR) {
      // 1 / epsilon, by either of the ways in which forward may have computed it: a constant.
      double direct = saved.round(1 / saved.round(epsilon));
      if (inverse >= Math.min(direct, saved.round(1 / epsilon))) {
        return 0;
      }
    }
    return dot == 0 ? 0 : round(dot / d);
  }

  /** Rounds to an integer, ties to even, magnitudes below 2^22. */
  double roundEven(double value) {
    double magic = this == SINGLE ? 0x1.8p23 : 0x1.8p52;
    return round(round(value + magic) - magic);
  }

  private double powerOfTwo(double exponent) {
    return this == SINGLE
        ? Float.intBitsToFloat((int) exponent + 127 << 23)
        : Double.longBitsToDouble((long) exponent + 1023 << 52);
  }

  /** z / (1 + exp(-z)), by the operations of the native kernels. */
  double silu(double z) {
    double limit = this == SINGLE ? 110 : 760;
    double magnitude = Math.abs(z);
    double t = expNegative(-(magnitude < limit ? magnitude : limit));
    boolean negative = Double.doubleToRawLongBits(z) < 0;
    return round((negative ? round(z * t) : z) / round(1 + t));
  }

  private double expNegative(double x) {
    boolean single = this == SINGLE;
    double n = roundEven(round(x * (single ? 0x1.715476p0 : 0x1.71547652b82fep0)));
    double r = fma(n, -(single ? 0x1.62e4p-1 : 0x1.62e42feep-1), x);
    r = fma(n, -(single ? 0x1.7f7d1cp-20 : 0x1.a39ef35793c76p-33), r);
    int degree = single ? 7 : 13;
    double factorial = 1;
    for (int i = 2; i <= degree; i++) {
      factorial *= i;
    }
    double p = round(1 / factorial);
    for (int i = degree - 1; i >= 0; i--) {
      factorial /= i + 1;
      p = fma(p, r, round(1 / factorial));
    }
    double half = roundEven(round(n * 0.5));
    return round(round(p * powerOfTwo(half)) * powerOfTwo(n - half));
  }
}
