package dev.panorm;

/** The options of norms with a gain, a bias and an epsilon that is added under the root. */
abstract sealed class AffineBuilder<B extends AffineBuilder<B>> extends NormBuilder<B>
    permits RmsNorm.Builder, LayerNorm.Builder, BatchNorm.Builder {
  AffineBuilder() {
    super(1e-5);
  }

  /**
   * Multiplies column j by element j of a 1 x n tensor, read at each call: of x's type or {@link
   * DType#F32}. Default: no gain.
   *
   * @throws IllegalArgumentException if it has more rows than one, or is {@link DType#I8}
   */
  public B gain(Tensor gain) {
    return setGain(gain);
  }

  /**
   * Adds element j of a 1 x n tensor, read at each call, to column j: of the gain's type, if there
   * is a gain, else of x's type or {@link DType#F32}. Default: no bias.
   *
   * @throws IllegalArgumentException if it has more rows than one, or is {@link DType#I8}
   */
  public B bias(Tensor bias) {
    return setBias(bias);
  }

  /**
   * Keeps the root away from zero. Default 1e-5.
   *
   * @throws IllegalArgumentException if negative, infinite or NaN
   */
  public B epsilon(double epsilon) {
    return setEpsilon(epsilon);
  }
}
