package dev.panorm;

import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.util.Objects;

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
 * sum is over the first k of the n columns only, and divided by k. With {@link Builder#groups} each
 * group of columns of a row is normalized on its own, and n is the width of a group.
 *
 * <p>Shapes: x, y, residual, gate and gradients of x are rows x columns, with any row stride; gain
 * and bias are 1 x n (see {@link GainLayout} for groups); statistics are rows x groups, contiguous.
 * Types:
 *
 * <table>
 * <caption>Types of x, and what goes with them</caption>
 * <tr><th>x, residual, gate</th><th>y</th><th>gain, bias</th><th>statistics, dGain, dBias</th></tr>
 * <tr><td>F32</td><td>F32, F16, BF16, I8</td><td>F32</td><td>F32</td></tr>
 * <tr><td>F64</td><td>F64</td><td>F64, F32</td><td>F64</td></tr>
 * <tr><td>F16</td><td>F16, F32, I8</td><td>F16, F32</td><td>F32</td></tr>
 * <tr><td>BF16</td><td>BF16, F32, I8</td><td>BF16, F32</td><td>F32</td></tr>
 * </table>
 *
 * <p>Backward, dy and dx have x's type. 16-bit rows are computed in {@code float} and rounded once.
 *
 * <p>y may be x itself, and dx may be x or dy. Nothing else that is written may lie within the memory
 * of another tensor, gaps between rows included, unless both are columns of the same wider rows (and
 * neither is a read-only view of an array). A NaN among the columns that are summed makes its whole
 * row NaN; an infinite element becomes NaN, and the finite ones of its row 0. Rows of F32, F16 and
 * BF16 are right over their whole finite range: where a square overflows or underflows in {@code
 * float}, the row is computed in {@code double}. (Only the inverse RMS of an F32 row below 2^-128 does
 * not fit its type, and backward needs it.) Nothing is wider than F64: of a row above 1e153 or below
 * 1e-153 the squares become infinite or 0.
 *
 * <p>Instances are immutable and thread-safe. Once compiled, calls on a native backend allocate
 * nothing, unless the norm is built for several threads or there are more than 2^15 elements on the
 * Java heap. Calls of up to 2^15 elements hold up a garbage collection until they end, for 50
 * microseconds at most (3 milliseconds in scalar code, which rows beyond a {@code float}'s range
 * need on every backend). On the Java heap so does each row, however long, and where backward is
 * asked for dGain or dBias, 16 rows together: of one group up to 8192 columns of them at once, of
 * several groups, or of a gain per group or row, all.
 *
 * <p>Every method checks its arguments first and throws, with nothing written, {@link
 * NullPointerException} for what is null and may not be, {@link IllegalArgumentException} for shapes,
 * types, overlap or a read-only output, {@link IllegalStateException} for a closed arena, and {@link
 * WrongThreadException} for one confined to another thread (of one row alone, without the tensor's
 * name). A call during which another thread closes an arena may throw with some outputs written.
 * No rows, or rows of no columns, are nothing to do; sums over them are 0.
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
    norm.forward(x, null, y);
  }

  /** Also saves the inverse RMS of each row, for {@link #backward}. */
  public void forward(Tensor x, Tensor y, Tensor inverseRms) {
    Objects.requireNonNull(inverseRms, "inverse RMS");
    norm.forward(x, null, Options.AUX_NONE, y, inverseRms, null, false);
  }

  /**
   * Adds x to the residual and normalizes the sum: {@code residual += x; y = norm(residual)}, with
   * the same bits, in one pass over memory less. x and y may be the same.
   */
  public void addForward(Tensor x, Tensor residual, Tensor y) {
    Objects.requireNonNull(residual, "residual");
    norm.forward(x, residual, y);
  }

  /** Also saves the inverse RMS of each row. */
  public void addForward(Tensor x, Tensor residual, Tensor y, Tensor inverseRms) {
    Objects.requireNonNull(residual, "residual");
    Objects.requireNonNull(inverseRms, "inverse RMS");
    norm.forward(x, residual, Options.AUX_ADD, y, inverseRms, null, false);
  }

  /**
   * The gated norm of state-space models: {@code y = norm(x) * silu(gate)}, where {@code silu(z) = z
   * / (1 + exp(-z))}. The product is rounded once to y's type.
   */
  public void gatedForward(Tensor x, Tensor gate, Tensor y) {
    Objects.requireNonNull(gate, "gate");
    norm.forward(x, gate, Options.AUX_GATE, y, null, null, false);
  }

  /**
   * Normalizes and quantizes: {@code scale = max|norm(x)| / 127} of each row (and group), {@code y =
   * norm(x) * (127 / max|norm(x)|)} rounded to the nearest integer, ties to even. A row
   * whose scale is 0 (it has zeros only, or nearly), infinite or NaN (if an element is) gets zeros.
   *
   * @param y {@link DType#I8}
   * @param scale written; rows x groups
   */
  public void quantizedForward(Tensor x, Tensor y, Tensor scale) {
    norm.quantizedForward(x, null, y, scale);
  }

  /** {@code residual += x}, then the sum normalized and quantized. */
  public void addQuantizedForward(Tensor x, Tensor residual, Tensor y, Tensor scale) {
    Objects.requireNonNull(residual, "residual");
    norm.quantizedForward(x, residual, y, scale);
  }

  /** {@link #backward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)} without a bias. */
  public void backward(Tensor dy, Tensor x, Tensor inverseRms, Tensor dx, Tensor dGain) {
    norm.backward(dy, x, inverseRms, null, dx, dGain, null);
  }

  /**
   * Takes gradients back: equations 8 and 9 of the paper, with u = dy * (gain + gainOffset) and xhat
   * = x * inverse.
   *
   * <pre>{@code
   * dx    = inverse * (u - xhat * sum(u * xhat) / n)
   * dGain = sum over rows of dy * xhat         dBias = sum over rows of dy
   * }</pre>
   *
   * <p>For partial RMSNorm the correction is divided by k and reaches the first k columns only. The
   * roundings of 16-bit types, that before the gain too, count as the identity. The gradient of an
   * {@link #addForward} is this one with x the sum, for x and residual alike.
   *
   * @param x what was normalized
   * @param inverseRms as forward saved it
   * @param dx overwritten; may be dy or x, or null if not wanted
   * @param dGain overwritten by the sum over all rows; of the gain's shape (of that which it would
   *     have, without one); null if not wanted
   * @param dBias as dGain
   */
  public void backward(Tensor dy, Tensor x, Tensor inverseRms, Tensor dx, Tensor dGain,
      Tensor dBias) {
    norm.backward(dy, x, inverseRms, null, dx, dGain, dBias);
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return norm.backend();
  }

  /** Options of an {@link RmsNorm}. */
  public static final class Builder extends AffineBuilder<Builder> {
    private Builder() {}

    /**
     * Adds this to every gain: 1 for models that store gain - 1. Default 0; needs a gain.
     *
     * @throws IllegalArgumentException if infinite or NaN
     */
    public Builder gainOffset(double offset) {
      Checks.require(Double.isFinite(offset), "gain offset is %s", offset);
      gainOffset = offset;
      return this;
    }

    /** How epsilon keeps the root away from zero. Default {@link EpsilonMode#INSIDE}. */
    public Builder epsilonMode(EpsilonMode mode) {
      epsilonMode = Objects.requireNonNull(mode, "epsilon mode").option;
      return this;
    }

    /**
     * Partial RMSNorm by a share p of the columns: the RMS is that of the first k = ceil(n * p), as
     * the paper has it. Its choice is 0.0625.
     *
     * <p>A choice for training: weights that were trained with the full norm are destroyed by it. (A
     * story model of 260,000 parameters goes from a loss of 0.47 to 7.8 at p = 0.0625.)
     *
     * @throws IllegalArgumentException unless 0 &lt; p &lt;= 1
     */
    public Builder partial(double p) {
      return setPartial(p, false);
    }

    /**
     * As {@link #partial}, but with k = floor(n * p), at least 1: what the authors' published code
     * computes.
     *
     * @throws IllegalArgumentException unless 0 &lt; p &lt;= 1
     */
    public Builder partialFloor(double p) {
      return setPartial(p, true);
    }

    /**
     * Partial RMSNorm over the first k columns (of each group); see {@link #partial(double)}.
     *
     * @throws IllegalArgumentException if k &lt; 1
     */
    public Builder partialWidth(long k) {
      return setPartialWidth(k);
    }

    /**
     * Divides the sum of squares by this instead of the number of columns summed: for rows padded
     * with zeros, or of which this is a shard.
     *
     * @throws IllegalArgumentException unless positive and finite
     */
    public Builder divisor(double divisor) {
      Checks.require(divisor > 0 && divisor < Double.POSITIVE_INFINITY, "divisor is %s", divisor);
      this.divisor = divisor;
      return this;
    }

    /**
     * Rounds x * inverse to x's type before the gain, as well as at the end: what Hugging Face's
     * Llama does with 16-bit types. Without effect on F32; needs a gain, not of F64.
     */
    public Builder roundBeforeGain() {
      roundBeforeGain = true;
      return this;
    }

    /**
     * Normalizes each of so many equal groups of columns on its own: the heads of queries or keys.
     * Default 1.
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
    public RmsNorm build() {
      return new RmsNorm(
          new RowNorm("RMSNorm", Op.RMS_NORM, Op.RMS_NORM_BACKWARD, "inverse RMS", null, this));
    }
  }
}
