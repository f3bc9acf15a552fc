package dev.panorm;

import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.util.Objects;

/**
 * LayerNorm: centres each row and divides it by its standard deviation. Ba, Kiros and Hinton
 * (2016); Zhang and Sennrich (2019), equations 2 and 3; ONNX operator LayerNormalization.
 *
 * <pre>{@code
 * mean    = sum(x) / n
 * inverse = 1 / sqrt(sum((x - mean)^2) / n + epsilon)
 * y       = (x - mean) * inverse * gain + bias
 * }</pre>
 *
 * <p>The squares are those of the centred row, in a pass of their own, and the mean is kept to more
 * than a {@code float}'s digits: a row of unit variance around 10,000 comes out right, and so does
 * one with an outlier. (The mean that is saved for backward has a {@code float}'s digits.)
 *
 * <p>With {@link Builder#groups} it is GroupNorm (Wu and He, 2018; ONNX operator GroupNormalization)
 * of rows: each group of columns is normalized on its own, and n is the width of a group.
 * (Of images: where a group is one channel, its gain is {@link GainLayout#PER_GROUP}; a gain for
 * each of several channels in a group is not among the layouts.)
 *
 * <p>Shapes, types, in-place use, errors and thread-safety are those of {@link RmsNorm}. A row with
 * a NaN or an infinity becomes all NaN.
 */
public final class LayerNorm {
  private final RowNorm norm;

  private LayerNorm(RowNorm norm) {
    this.norm = norm;
  }

  /** Builds a norm without gain, for rows of any width. */
  public static Builder builder() {
    return new Builder();
  }

  /** Builds a norm with a gain of 1 x n, for rows of n columns. */
  public static Builder builder(Tensor gain) {
    return new Builder().gain(gain);
  }

  /** Normalizes each row of x into y, which may be x. */
  public void forward(Tensor x, Tensor y) {
    norm.forward(x, null, y);
  }

  /** Also saves the mean and the inverse deviation of each row, for {@link #backward}. */
  public void forward(Tensor x, Tensor y, Tensor mean, Tensor inverseDeviation) {
    Objects.requireNonNull(mean, "mean");
    Objects.requireNonNull(inverseDeviation, "inverse deviation");
    norm.forward(x, null, Options.AUX_NONE, y, mean, inverseDeviation, false);
  }

  /**
   * Adds x to the residual and normalizes the sum: {@code residual += x; y = norm(residual)}, with
   * the same bits, in one pass over memory less. x and y may be the same.
   */
  public void addForward(Tensor x, Tensor residual, Tensor y) {
    Objects.requireNonNull(residual, "residual");
    norm.forward(x, residual, y);
  }

  /** Also saves the mean and the inverse deviation of each row. */
  public void addForward(Tensor x, Tensor residual, Tensor y, Tensor mean,
      Tensor inverseDeviation) {
    Objects.requireNonNull(residual, "residual");
    Objects.requireNonNull(mean, "mean");
    Objects.requireNonNull(inverseDeviation, "inverse deviation");
    norm.forward(x, residual, Options.AUX_ADD, y, mean, inverseDeviation, false);
  }

  /** Normalizes and quantizes, as {@link RmsNorm#quantizedForward} does. */
  public void quantizedForward(Tensor x, Tensor y, Tensor scale) {
    norm.quantizedForward(x, null, y, scale);
  }

  /** {@code residual += x}, then the sum normalized and quantized. */
  public void addQuantizedForward(Tensor x, Tensor residual, Tensor y, Tensor scale) {
    Objects.requireNonNull(residual, "residual");
    norm.quantizedForward(x, residual, y, scale);
  }

  /**
   * Takes gradients back, with u = dy * gain and xhat = (x - mean) * inverse.
   *
   * <pre>{@code
   * dx    = inverse * (u - sum(u) / n - xhat * sum(u * xhat) / n)
   * dGain = sum over rows of dy * xhat         dBias = sum over rows of dy
   * }</pre>
   *
   * @param x what was normalized
   * @param mean as forward saved it
   * @param inverseDeviation as forward saved it
   * @param dx overwritten; may be dy or x, or null if not wanted
   * @param dGain overwritten by the sum over all rows, infinite where x - mean is beyond a float;
   *     of the gain's shape; null if not wanted
   * @param dBias as dGain
   */
  public void backward(Tensor dy, Tensor x, Tensor mean, Tensor inverseDeviation, Tensor dx,
      Tensor dGain, Tensor dBias) {
    Objects.requireNonNull(inverseDeviation, "inverse deviation");
    norm.backward(dy, x, mean, inverseDeviation, dx, dGain, dBias);
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return norm.backend();
  }

  /** Options of a {@link LayerNorm}. */
  public static final class Builder extends AffineBuilder<Builder> {
    private Builder() {}

    /**
     * Normalizes each of so many equal groups of columns on its own. Default 1.
     *
     * @throws IllegalArgumentException if less than 1
     */
    public Builder groups(int groups) {
      return setGroups(groups);
    }

    /** Which gain a column of a group meets. Default {@link GainLayout#PER_COLUMN}. */
    public Builder gainLayout(GainLayout layout) {
      return setGainLayout(layout);
    }

    /**
     * The operator.
     *
     * @throws IllegalArgumentException if the options contradict each other
     * @throws IllegalStateException as {@link Panorm#backend}, unless it is built for a backend
     */
    public LayerNorm build() {
      return new LayerNorm(new RowNorm("LayerNorm", Op.LAYER_NORM, Op.LAYER_NORM_BACKWARD, "mean",
          "inverse deviation", this));
    }
  }
}
