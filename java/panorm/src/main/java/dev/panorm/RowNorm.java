package dev.panorm;

import dev.panorm.internal.ForwardCall;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** What the norms over rows have in common: their options, the checks of a call, the call. */
final class RowNorm {
  private final String name;
  private final Op op;
  private final Backend backend;
  private final Tensor gain;
  private final Tensor bias;
  private final double epsilon;
  private final double gainOffset;
  private final double partial;
  private final long partialWidth;
  private final int options;

  /** By the types of x and y; filled as they are met. */
  private final Kernel[] kernels = new Kernel[DType.values().length * DType.values().length];

  RowNorm(String name, Op op, int options, Builder<?> builder) {
    this.name = name;
    this.op = op;
    this.backend = builder.backend == null ? Panorm.backend() : builder.backend;
    this.gain = builder.gain;
    this.bias = builder.bias;
    this.epsilon = builder.epsilon;
    this.gainOffset = builder.gainOffset;
    this.partial = builder.partial;
    this.partialWidth = builder.partialWidth;
    this.options = options;
    if (gainOffset != 0 && gain == null) {
      throw new IllegalArgumentException("A gain offset of " + gainOffset + " needs a gain");
    }
    if (gain != null && bias != null) {
      require(gain.cols() == bias.cols() && gain.type() == bias.type(),
          "gain is %s, but bias is %s", gain, bias);
    }
    if (gain != null) {
      require(partialWidth <= gain.cols(), "partial width is %s, but gain is %s", partialWidth,
          gain);
    }
  }

  /** Options common to the norms over rows. */
  abstract static sealed class Builder<B extends Builder<B>>
      permits RmsNorm.Builder, LayerNorm.Builder {
    private Tensor gain;
    private Tensor bias;
    private double epsilon = 1e-5;
    private double gainOffset;
    private double partial = 1;
    private long partialWidth;
    private Backend backend;

    @SuppressWarnings("unchecked")
    private B self() {
      return (B) this;
    }

    /** Multiplies column j by element j of a 1 x n tensor, read at each call. Default: no gain. */
    public B gain(Tensor gain) {
      this.gain = vector(gain, "gain");
      return self();
    }

    /** Adds element j of a 1 x n tensor, read at each call, to column j. Default: no bias. */
    public B bias(Tensor bias) {
      this.bias = vector(bias, "bias");
      return self();
    }

    /**
     * Keeps the root away from zero; added inside it. Default 1e-5.
     *
     * @throws IllegalArgumentException if negative, infinite or NaN
     */
    public B epsilon(double epsilon) {
      require(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY, "epsilon is %s", epsilon);
      this.epsilon = epsilon;
      return self();
    }

    /**
     * Runs on this backend. Default: {@link Panorm#backend}. For comparisons; the bits are the same.
     *
     * @throws IllegalArgumentException if it is not available
     */
    public B backend(Backend backend) {
      this.backend = Backends.requireAvailable(Objects.requireNonNull(backend, "backend"));
      return self();
    }

    void setGainOffset(double offset) {
      require(Double.isFinite(offset), "gain offset is %s", offset);
      gainOffset = offset;
    }

    void setPartial(double p) {
      require(p > 0 && p <= 1, "partial is %s, not in (0, 1]", p);
      partial = p;
      partialWidth = 0;
    }

    void setPartialWidth(long k) {
      require(k >= 1, "partial width is %s, less than 1", k);
      partialWidth = k;
      partial = 1;
    }

    private static Tensor vector(Tensor t, String name) {
      Objects.requireNonNull(t, name);
      require(t.rows() == 1, "%s is %s, not one row", name, t);
      require(t.type() == DType.F32, "%s is %s, not F32", name, t);
      return t;
    }
  }

  Backend backend() {
    return backend;
  }

  /** An absent residual, stat0 or stat1 is null. */
  void forward(Tensor x, Tensor residual, Tensor y, Tensor stat0, Tensor stat1) {
    long rows = x.rows();
    long cols = x.cols();
    boolean heap = x.onHeap() | y.onHeap();
    if (gain != null) {
      checkVector(gain, "gain", cols);
      heap |= gain.onHeap();
    }
    if (bias != null) {
      checkVector(bias, "bias", cols);
      heap |= bias.onHeap();
    }
    if (partialWidth > cols) {
      throw new IllegalArgumentException("partial width is " + partialWidth + ", but x is " + x);
    }
    checkShape(y, "y", rows, cols, x);
    Kernel kernel = kernel(x.type(), y.type());
    checkOutput(y, "y");
    if (!y.sameMemory(x)) {
      checkApart(y, "y", x, "x");
    }
    if (residual != null) {
      checkShape(residual, "residual", rows, cols, x);
      checkType(residual, "residual", x.type());
      checkOutput(residual, "residual");
      checkApart(residual, "residual", x, "x");
      checkApart(residual, "residual", y, "y");
      heap |= residual.onHeap();
    }
    if (stat0 != null) {
      checkStatistic(stat0, x, y, residual);
      heap |= stat0.onHeap();
    }
    if (stat1 != null) {
      checkStatistic(stat1, x, y, residual);
      checkApart(stat0, "first statistic", stat1, "second");
      heap |= stat1.onHeap();
    }
    if (gain != null) {
      checkParameterApart(gain, "gain", y, residual, stat0, stat1);
    }
    if (bias != null) {
      checkParameterApart(bias, "bias", y, residual, stat0, stat1);
    }
    if (rows == 0 || cols == 0) {
      return;
    }
    long span = span(cols);
    new ForwardCall(kernel, x.segment(), segment(residual), segment(gain), segment(bias),
        y.segment(), segment(stat0), segment(stat1), rows, 1, cols, span, x.rowStride(),
        residual == null ? 0 : residual.rowStride(), y.rowStride(), epsilon, gainOffset, span,
        residual == null ? options : options | Options.AUX_ADD, heap).run();
  }

  private long span(long cols) {
    if (partialWidth > 0) {
      return partialWidth;
    }
    return partial == 1 ? cols : (long) Math.ceil(cols * partial);
  }

  private Kernel kernel(DType x, DType y) {
    int index = x.ordinal() * DType.values().length + y.ordinal();
    Kernel kernel = kernels[index];
    if (kernel == null) {
      kernel = Backends.kernel(op, x, y, backend);
      require(kernel != null, "%s from %s to %s does not exist", name, x, y);
      kernels[index] = kernel;
    }
    return kernel;
  }

  private static MemorySegment segment(Tensor t) {
    return t == null ? MemorySegment.NULL : t.segment();
  }

  private static void checkVector(Tensor t, String name, long cols) {
    if (t.cols() != cols) {
      throw new IllegalArgumentException("x has " + cols + " columns, but " + name + " is " + t);
    }
  }

  private static void checkShape(Tensor t, String name, long rows, long cols, Tensor x) {
    if (t.rows() != rows || t.cols() != cols) {
      throw new IllegalArgumentException("x is " + x + ", but " + name + " is " + t);
    }
  }

  private static void checkType(Tensor t, String name, DType type) {
    if (t.type() != type) {
      throw new IllegalArgumentException(name + " is " + t + ", not " + type);
    }
  }

  private static void checkOutput(Tensor t, String name) {
    if (t.readOnly()) {
      throw new IllegalArgumentException(name + " is read-only: " + t);
    }
  }

  private static void checkApart(Tensor a, String aName, Tensor b, String bName) {
    if (a.overlaps(b)) {
      throw new IllegalArgumentException(
          aName + " (" + a + ") overlaps " + bName + " (" + b + ") in memory");
    }
  }

  private void checkStatistic(Tensor t, Tensor x, Tensor y, Tensor residual) {
    DType type = x.type() == DType.F64 ? DType.F64 : DType.F32;
    if (t.rows() != x.rows() || t.cols() != 1 || t.type() != type || !t.isContiguous()) {
      throw new IllegalArgumentException("A statistic of x (" + x + ") is " + x.rows() + " x 1 "
          + type + ", contiguous, not " + t);
    }
    checkOutput(t, "statistic");
    checkApart(t, "statistic", x, "x");
    checkApart(t, "statistic", y, "y");
    if (residual != null) {
      checkApart(t, "statistic", residual, "residual");
    }
  }

  private static void checkParameterApart(Tensor t, String name, Tensor y, Tensor residual,
      Tensor stat0, Tensor stat1) {
    checkApart(t, name, y, "y");
    if (residual != null) {
      checkApart(t, name, residual, "residual");
    }
    if (stat0 != null) {
      checkApart(t, name, stat0, "statistic");
    }
    if (stat1 != null) {
      checkApart(t, name, stat1, "statistic");
    }
  }

  static Tensor required(Tensor t, String name) {
    return Objects.requireNonNull(t, name);
  }

  private static void require(boolean condition, String message, Object... numbers) {
    if (!condition) {
      throw new IllegalArgumentException(message.formatted(numbers));
    }
  }
}
