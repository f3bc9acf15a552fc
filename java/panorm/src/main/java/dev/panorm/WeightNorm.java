package dev.panorm;

import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.util.Objects;

/**
 * WeightNorm: gives each row of a matrix of weights, the weights of one output, a length of its own.
 * Salimans and Kingma (2016); compared with RMSNorm by Zhang and Sennrich (2019), table 1.
 *
 * <pre>{@code
 * inverse = 1 / sqrt(sum(v^2))
 * w       = v * inverse * gain
 * }</pre>
 *
 * <p>Shapes: v, w and their gradients are rows x columns, with any row stride; gain, its gradient
 * and the inverse length are rows x 1, contiguous. Types, in-place use, errors and thread-safety
 * are those of {@link RmsNorm}, whose x and y are v and w here, in messages too; w is not I8. A row of
 * zeros becomes NaN: it has no direction.
 */
public final class WeightNorm {
  private final RowNorm norm;

  private WeightNorm(RowNorm norm) {
    this.norm = norm;
  }

  /**
   * Builds a norm for matrices of as many rows as the gain has elements.
   *
   * @param gain rows x 1, contiguous, read at each call: of v's type or {@link DType#F32}
   * @throws IllegalArgumentException for another shape, or {@link DType#I8}
   */
  public static Builder builder(Tensor gain) {
    return new Builder(gain);
  }

  /** Writes the weights w, which may be v. */
  public void forward(Tensor v, Tensor w) {
    norm.forward(v, null, Options.AUX_NONE, w, null, null, false);
  }

  /** Also saves the inverse length of each row, for {@link #backward}. */
  public void forward(Tensor v, Tensor w, Tensor inverseNorm) {
    Objects.requireNonNull(inverseNorm, "inverse norm");
    norm.forward(v, null, Options.AUX_NONE, w, inverseNorm, null, false);
  }

  /**
   * Takes gradients back, with vhat = v * inverse.
   *
   * <pre>{@code
   * dGain = sum(dw * vhat)
   * dv    = gain * inverse * (dw - vhat * dGain)
   * }</pre>
   *
   * @param v what was normalized
   * @param inverseNorm as forward saved it
   * @param dv overwritten; may be dw or v, or null if not wanted
   * @param dGain overwritten; rows x 1, contiguous; null if not wanted
   */
  public void backward(Tensor dw, Tensor v, Tensor inverseNorm, Tensor dv, Tensor dGain) {
    norm.backward(dw, v, inverseNorm, null, dv, dGain, null);
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return norm.backend();
  }

  /** Options of a {@link WeightNorm}. */
  public static final class Builder extends NormBuilder<Builder> {
    private Builder(Tensor gain) {
      super(0);
      Objects.requireNonNull(gain, "gain");
      Checks.require(gain.cols() == 1 && gain.isContiguous(),
          "gain is %s, not one contiguous column", gain);
      this.gain = parameter(gain, "gain");
      gainLayout = Options.GAIN_PER_ROW;
      divisor = 1;
    }

    /**
     * The operator.
     *
     * @throws IllegalStateException as {@link Panorm#backend}, unless it is built for a backend
     */
    public WeightNorm build() {
      return new WeightNorm(
          new RowNorm("WeightNorm", Op.RMS_NORM, Op.RMS_NORM_BACKWARD, "inverse norm", null, this));
    }
  }
}
