package dev.panorm;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * A row (or for BatchNorm a column) in 34 decimal digits: what exact arithmetic gives, as far as
 * tests of {@code double} can tell.
 */
final class Exact {
  static final MathContext MC = MathContext.DECIMAL128;

  final BigDecimal mean;
  final BigDecimal inverse;

  private Exact(BigDecimal mean, BigDecimal inverse) {
    this.mean = mean;
    this.inverse = inverse;
  }

  /** The statistics of a norm that does not centre, from the first {@code span} elements. */
  static Exact ofSquares(double[] x, int span, double divisor, double epsilon, EpsilonMode mode) {
    return of(x, BigDecimal.ZERO, span, divisor, epsilon, mode);
  }

  /** The statistics of a norm that centres. */
  static Exact ofDeviations(double[] x, double epsilon) {
    BigDecimal sum = BigDecimal.ZERO;
    for (double value : x) {
      sum = sum.add(big(value), MC);
    }
    BigDecimal mean = sum.divide(big(x.length), MC);
    return of(x, mean, x.length, x.length, epsilon, EpsilonMode.INSIDE);
  }

  private static Exact of(double[] x, BigDecimal mean, int span, double divisor, double epsilon,
      EpsilonMode mode) {
    BigDecimal squares = BigDecimal.ZERO;
    for (int i = 0; i < span; i++) {
      BigDecimal d = big(x[i]).subtract(mean, MC);
      squares = d.multiply(d, MC).add(squares, MC);
    }
    BigDecimal meanSquare = squares.divide(big(divisor), MC);
    BigDecimal e = big(epsilon);
    BigDecimal root = switch (mode) {
      case INSIDE -> meanSquare.add(e, MC).sqrt(MC);
      case OUTSIDE -> meanSquare.sqrt(MC).add(e, MC);
      case FLOOR -> meanSquare.sqrt(MC).max(e);
    };
    return new Exact(mean, BigDecimal.ONE.divide(root, MC));
  }

  /** Statistics that a forward call has saved, taken at their word. */
  static Exact given(double mean, double inverse) {
    return new Exact(big(mean), big(inverse));
  }

  BigDecimal normalized(double x) {
    return big(x).subtract(mean, MC).multiply(inverse, MC);
  }

  /** dx, and the sum of the magnitudes of the terms that it is the sum of. */
  record Gradient(BigDecimal[] dx, double[] terms) {}

  /**
   * The gradient of a row.
   *
   * @param gain as multiplied, its offset included
   * @param slopeDivisor what sum(dy * gain * xhat) is divided by; infinite if the inverse is constant
   * @param centred whether the norm centres
   */
  Gradient backward(double[] dy, double[] x, double[] gain, int span, double slopeDivisor,
      boolean centred) {
    int n = x.length;
    BigDecimal[] u = new BigDecimal[n];
    BigDecimal[] xhat = new BigDecimal[n];
    BigDecimal dot = BigDecimal.ZERO;
    BigDecimal sum = BigDecimal.ZERO;
    double dotTerms = 0;
    double sumTerms = 0;
    for (int i = 0; i < n; i++) {
      u[i] = big(dy[i]).multiply(big(gain[i]), MC);
      xhat[i] = normalized(x[i]);
      dot = u[i].multiply(xhat[i], MC).add(dot, MC);
      sum = sum.add(u[i], MC);
      dotTerms += Math.abs(u[i].doubleValue() * xhat[i].doubleValue());
      sumTerms += Math.abs(u[i].doubleValue());
    }
    boolean constant = Double.isInfinite(slopeDivisor);
    BigDecimal slope = constant ? BigDecimal.ZERO : dot.divide(big(slopeDivisor), MC);
    BigDecimal shift = centred ? sum.divide(big(n), MC) : BigDecimal.ZERO;
    Gradient gradient = new Gradient(new BigDecimal[n], new double[n]);
    for (int i = 0; i < n; i++) {
      BigDecimal d = u[i].subtract(shift, MC);
      double terms = Math.abs(u[i].doubleValue()) + (centred ? sumTerms / n : 0);
      if (i < span) {
        d = d.subtract(xhat[i].multiply(slope, MC), MC);
        terms += Math.abs(xhat[i].doubleValue()) * dotTerms / slopeDivisor;
      }
      gradient.dx[i] = d.multiply(inverse, MC);
      gradient.terms[i] = terms * Math.abs(inverse.doubleValue());
    }
    return gradient;
  }

  static BigDecimal big(double value) {
    return new BigDecimal(value);
  }
}
