package dev.panorm;

import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.util.Objects;

/**
 * L2-Norm: divides each row by its Euclidean length. What Zhang and Sennrich (2019) compare RMSNorm
 * with (section 6.1), PyTorch's {@code normalize}, and the last step of an embedding model.
 *
 * <pre>{@code
 * inverse = 1 / max(sqrt(sum(x^2)), epsilon)
 * y       = x * inverse * gain
 * }</pre>
 *
 * <p>Shapes, types, in-place use, errors and thread-safety are those of {@link RmsNorm}. A row of
 * zeros stays zeros, unless epsilon is 0.
 */
public final class L2Norm {
  private final RowNorm norm;

  private L2Norm(RowNorm norm) {
    this.norm = norm;
  }

  /** Builds a norm, without gain unless it is given one. */
  public static Builder builder() {
    return new Builder();
  }

  /** Normalizes each row of x into y, which may be x. */
  public void forward(Tensor x, Tensor y) {
    norm.forward(x, null, Options.AUX_NONE, y, null, null, false);
  }

  /** Also saves the inverse length of each row, for {@link #backward}. */
  public void forward(Tensor x, Tensor y, Tensor inverseNorm) {
    Objects.requireNonNull(inverseNorm, "inverse norm");
    norm.forward(x, null, Options.AUX_NONE, y, inverseNorm, null, false);
  }

  /** Normalizes and quantizes, as {@link RmsNorm#quantizedForward} does. */
  public void quantizedForward(Tensor x, Tensor y, Tensor scale) {
    norm.quantizedForward(x, null, y, scale);
  }

  /**
   * Takes gradients back, with u = dy * gain and xhat = x * inverse.
   *
   * <pre>{@code
   * dx    = inverse * (u - xhat * sum(u * xhat))      (inverse * u for rows shorter than epsilon)
   * dGain = sum over rows of dy * xhat
   * }</pre>
   *
   * @param x what was normalized
   * @param inverseNorm as forward saved it
   * @param dx overwritten; may be dy or x, or null if not wanted
   * @param dGain overwritten by the sum over all rows; of the gain's shape; null if not wanted
   */
  public void backward(Tensor dy, Tensor x, Tensor inverseNorm, Tensor dx, Tensor dGain) {
    norm.backward(dy, x, inverseNorm, null, dx, dGain, null);
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return norm.backend();
  }

  /** Options of an {@link L2Norm}. */
  public static final class Builder extends NormBuilder<Builder> {
    private Builder() {
      super(1e-12);
      epsilonMode = Options.EPSILON_FLOOR;
      divisor = 1;
    }

    /**
     * Multiplies column j by element j of a 1 x n tensor, read at each call: of x's type or {@link
     * DType#F32}. Default: no gain.
     *
     * @throws IllegalArgumentException if it has more rows than one, or is {@link DType#I8}
     */
    public Builder gain(Tensor gain) {
      return setGain(gain);
    }

    /**
     * The least length that a row is taken to have. Default 1e-12.
     *
     * @throws IllegalArgumentException if negative, infinite or NaN
     */
    public Builder epsilon(double epsilon) {
      return setEpsilon(epsilon);
    }

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
    public L2Norm build() {
      return new L2Norm(
          new RowNorm("L2-Norm", Op.RMS_NORM, Op.RMS_NORM_BACKWARD, "inverse norm", null, this));
    }
  }
}
