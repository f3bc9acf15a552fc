package dev.panorm;

import dev.panorm.internal.Op;
import dev.panorm.internal.Options;

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
 * than a {@code float}'s digits: a row of unit variance around 10,000 comes out right.
 *
 * <p>Shapes, in-place use, errors and thread-safety are those of {@link RmsNorm}; mean and inverse
 * deviation are saved as rows x 1 {@link DType#F32}, contiguous. A row with a NaN or an infinity
 * becomes all NaN.
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
    norm.forward(x, null, y, null, null);
  }

  /** Also saves the mean and the inverse deviation of each row. */
  public void forward(Tensor x, Tensor y, Tensor mean, Tensor inverseDeviation) {
    norm.forward(x, null, y, RowNorm.required(mean, "mean"),
        RowNorm.required(inverseDeviation, "inverse deviation"));
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return norm.backend();
  }

  /** Options of a {@link LayerNorm}. */
  public static final class Builder extends RowNorm.Builder<Builder> {
    private Builder() {}

    /**
     * The operator.
     *
     * @throws IllegalArgumentException if the options contradict each other, or the backend is not
     *     available
     */
    public LayerNorm build() {
      return new LayerNorm(new RowNorm("LayerNorm", Op.LAYER_NORM, Options.EPSILON_INSIDE, this));
    }
  }
}
