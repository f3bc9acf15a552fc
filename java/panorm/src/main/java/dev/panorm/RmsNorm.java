package dev.panorm;

import dev.panorm.internal.Op;
import dev.panorm.internal.Options;

/**
 * RMSNorm: divides each row by the root of its mean square. Zhang and Sennrich (2019), equations 4
 * and 5; ONNX operator RMSNormalization.
 *
 * <pre>{@code
 * inverse = 1 / sqrt(sum(x^2) / n + epsilon)
 * y       = x * inverse * (gain + gainOffset) + bias
 * }</pre>
 *
 * <p>With {@link Builder#partial} it is partial RMSNorm (pRMSNorm, section 5 of the paper): the
 * sum is over the first k of the n columns only, and divided by k.
 *
 * <p>Shapes: x, y and residual are rows x n with any row stride, of one type; gain and bias are 1 x
 * n; the inverse RMS is saved as rows x 1 {@link DType#F32}, contiguous. y may be x itself; no
 * other two may overlap. A row with a NaN becomes all NaN, and so does an infinite element; the
 * finite ones of its row become 0. Rows are right over the whole finite range: where a square
 * overflows or underflows in {@code float}, the row is computed in {@code double}.
 *
 * <p>Instances are immutable and thread-safe; calls allocate nothing. Every method checks its
 * arguments first and throws, with nothing written, {@link IllegalArgumentException} for shapes,
 * types, overlap or a read-only output, {@link IllegalStateException} for a closed arena, and
 * {@link WrongThreadException} for one confined to another thread.
 */
public final class RmsNorm {
  private final RowNorm norm;

  private RmsNorm(RowNorm norm) {
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

  /** Also saves the inverse RMS of each row. */
  public void forward(Tensor x, Tensor y, Tensor inverseRms) {
    norm.forward(x, null, y, RowNorm.required(inverseRms, "inverse RMS"), null);
  }

  /**
   * Adds x to the residual and normalizes the sum: {@code residual += x; y = norm(residual)}, with
   * the same bits, in one pass over memory less. x and y may be the same.
   */
  public void addForward(Tensor x, Tensor residual, Tensor y) {
    norm.forward(x, RowNorm.required(residual, "residual"), y, null, null);
  }

  /** Also saves the inverse RMS of each row. */
  public void addForward(Tensor x, Tensor residual, Tensor y, Tensor inverseRms) {
    norm.forward(x, RowNorm.required(residual, "residual"), y,
        RowNorm.required(inverseRms, "inverse RMS"), null);
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return norm.backend();
  }

  /** Options of an {@link RmsNorm}. */
  public static final class Builder extends RowNorm.Builder<Builder> {
    private Builder() {}

    /** Adds this to every gain: 1 for models that store gain - 1. Default 0; needs a gain. */
    public Builder gainOffset(double offset) {
      setGainOffset(offset);
      return this;
    }

    /**
     * Partial RMSNorm by a share p of the columns: the RMS is that of the first k = ceil(n * p).
     * The paper's choice is 0.0625. A choice for training: a model trained with the full norm is
     * destroyed by it.
     *
     * @throws IllegalArgumentException unless 0 &lt; p &lt;= 1
     */
    public Builder partial(double p) {
      setPartial(p);
      return this;
    }

    /**
     * Partial RMSNorm over the first k columns; see {@link #partial(double)}.
     *
     * @throws IllegalArgumentException if k &lt; 1
     */
    public Builder partialWidth(long k) {
      setPartialWidth(k);
      return this;
    }

    /**
     * The operator.
     *
     * @throws IllegalArgumentException if the options contradict each other, or the backend is not
     *     available
     */
    public RmsNorm build() {
      return new RmsNorm(new RowNorm("RMSNorm", Op.RMS_NORM, Options.EPSILON_INSIDE, this));
    }
  }
}
