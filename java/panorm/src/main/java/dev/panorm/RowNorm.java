package dev.panorm;

import dev.panorm.internal.BackwardCall;
import dev.panorm.internal.ForwardCall;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** What the norms over rows have in common: their options, the checks of a call, the call. */
final class RowNorm {
  private final Backend backend;
  private final Kernels forward;
  private final Kernels backward;
  private final String stat0Name;
  private final String stat1Name;
  private final Parameters parameters;
  private final double epsilon;
  private final double partial;
  private final boolean partialRoundsDown;
  private final long partialWidth;
  private final double divisor;
  private final long groups;
  private final int gainLayout;
  private final int options;

  /** Whether a kernel for one row knows all that this asks for. */
  private final boolean plain;

  /**
   * What other work waits for most goes a short way: a single row that gain and bias tell all about.
   * Its type; null if there is none.
   */
  private final DType rowType;

  private final long rowWidth;
  private final long rowSpan;
  private final Kernel rowKernel;
  private final Parallel parallel;

  /** @param stat1Name null if there is one statistic */
  RowNorm(String name, Op forward, Op backward, String stat0Name, String stat1Name,
      NormBuilder<?> b) {
    this.backend = b.backend == null ? Panorm.backend() : b.backend;
    this.forward = new Kernels(name, forward, backend);
    this.backward = new Kernels(name + " backward", backward, backend);
    this.stat0Name = stat0Name;
    this.stat1Name = stat1Name;
    this.parameters = new Parameters(b);
    this.epsilon = b.epsilon;
    this.partial = b.partial;
    this.partialRoundsDown = b.partialRoundsDown;
    this.partialWidth = b.partialWidth;
    this.divisor = b.divisor;
    this.groups = b.groups;
    this.gainLayout = b.gainLayout;
    this.parallel = b.parallel;
    this.options = b.epsilonMode | b.gainLayout
        | (b.roundBeforeGain ? Options.ROUND_BEFORE_GAIN : 0);
    this.plain = options == 0 && groups == 1 && b.gainOffset == 0;
    Tensor parameter = b.gain != null ? b.gain : b.bias;
    if (parameter != null) {
      checkLayout(parameter, b.gain != null ? "gain" : "bias");
    }
    boolean tells = plain && parameter != null && parameter.cols() > 0;
    this.rowType = tells ? parameter.type() : null;
    this.rowWidth = tells ? parameter.cols() : 0;
    this.rowSpan = spanOf(rowWidth);
    this.rowKernel = tells ? this.forward.of(rowType, rowType) : null;
  }

  /** What can be told before x is there. */
  private void checkLayout(Tensor t, String name) {
    if (gainLayout == Options.GAIN_PER_GROUP) {
      Checks.require(t.cols() == groups, "groups is %s, but %s is %s", groups, name, t);
    } else if (gainLayout != Options.GAIN_PER_ROW) {
      long share = gainLayout == Options.GAIN_PER_COLUMN ? groups : 1;
      Checks.require(t.cols() % share == 0, "groups is %s, but %s is %s", groups, name, t);
      Checks.require(partialWidth <= t.cols() / share, "partial width is %s, but %s is %s",
          partialWidth, name, t);
    }
  }

  Backend backend() {
    return backend;
  }

  /**
   * Normalizes.
   *
   * @param residual null for none
   */
  void forward(Tensor x, Tensor residual, Tensor y) {
    Checks.present(x, y, "y");
    if (goesShortWay(x) && y.type() == rowType) {
      boolean heap = checkRow(x, residual, y);
      // What this throws gets no name: to have the tensors at hand for that takes 1.5 ns.
      rowKernel.forwardRow(x.segment(), Tensor.segmentOf(residual), parameters.gain,
          parameters.bias, y.segment(), MemorySegment.NULL, rowWidth, rowSpan, epsilon,
          divisorOf(rowSpan), heap);
      return;
    }
    int auxOption = residual == null ? Options.AUX_NONE : Options.AUX_ADD;
    forward(x, residual, auxOption, y, null, null, false);
  }

  /**
   * Normalizes and quantizes.
   *
   * @param residual null for none
   */
  void quantizedForward(Tensor x, Tensor residual, Tensor y, Tensor scale) {
    Checks.present(x, y, "y");
    Objects.requireNonNull(scale, "scale");
    int auxOption = residual == null ? Options.AUX_NONE : Options.AUX_ADD;
    if (!goesShortWay(x) || y.type() != DType.I8) {
      forward(x, residual, auxOption, y, null, scale, true);
      return;
    }
    Kernel kernel = forward.of(rowType, DType.I8);
    boolean heap = checkRow(x, residual, y);
    checkSaved(scale, "scale", x, residual, y);
    try {
      kernel.forwardRow(x.segment(), Tensor.segmentOf(residual), parameters.gain, parameters.bias,
          y.segment(), scale.segment(), rowWidth, rowSpan, epsilon, divisorOf(rowSpan),
          heap | scale.onHeap());
    } catch (IllegalStateException | WrongThreadException e) {
      throw named(e, x, residual, auxOption, y, null, scale, true);
    }
  }

  private boolean goesShortWay(Tensor x) {
    return x.rows() == 1 && x.cols() == rowWidth && x.type() == rowType;
  }

  /** Whether any of them is on the heap. */
  private boolean checkRow(Tensor x, Tensor residual, Tensor y) {
    boolean heap = parameters.checkOutput(x, y);
    if (residual != null) {
      checkAux(x, residual, Options.AUX_ADD, y);
      heap |= residual.onHeap();
    }
    return heap;
  }

  /**
   * Normalizes.
   *
   * @param aux residual or gate, as {@code auxOption} says; null for neither
   * @param stat0 null if it is not wanted
   * @param stat1 null if it is not wanted; the scale if {@code quantized}
   */
  // Small for the compiler's sake: what not every call needs is in methods of its own.
  void forward(Tensor x, Tensor aux, int auxOption, Tensor y, Tensor stat0, Tensor stat1,
      boolean quantized) {
    Checks.present(x, y, "y");
    long width = groups == 1 ? x.cols() : widthOf(x);
    long span = spanOf(width, x);
    if (quantized != (y.type() == DType.I8)) {
      throw wrongOutput(y, quantized);
    }
    Kernel kernel = forward.of(x.type(), y.type());
    boolean heap = parameters.checkOutput(x, y);
    parameters.check(x, gainLength(x, width));
    if (aux != null || stat0 != null || stat1 != null) {
      heap |= checkOthers(x, aux, auxOption, y, stat0, stat1, quantized);
    }
    if (x.rows() == 0 || width == 0) {
      return;
    }
    int with = options | auxOption | parameters.option(x.type());
    try {
      if (x.rows() == 1 && plain && (with & ~Options.AUX_ADD) == 0 && stat0 == null
          && (stat1 == null || quantized)) {
        kernel.forwardRow(x.segment(), Tensor.segmentOf(aux), parameters.gain, parameters.bias,
            y.segment(), Tensor.segmentOf(stat1), width, span, epsilon, divisorOf(span), heap);
      } else {
        forwardRows(kernel, x, aux, y, stat0, stat1, width, span, with, heap);
      }
    } catch (IllegalStateException | WrongThreadException e) {
      throw named(e, x, aux, auxOption, y, stat0, stat1, quantized);
    }
  }

  /** What a kernel threw, with the name of the tensor whose memory it could not have. */
  private RuntimeException named(RuntimeException e, Tensor x, Tensor aux, int auxOption, Tensor y,
      Tensor stat0, Tensor stat1, boolean quantized) {
    Checks.accessible(x, "x");
    Checks.accessible(aux, auxName(auxOption));
    Checks.accessible(y, "y");
    Checks.accessible(stat0, stat0Name);
    Checks.accessible(stat1, quantized ? "scale" : stat1Name);
    parameters.checkAccessible();
    return e;
  }

  private static String auxName(int auxOption) {
    return auxOption == Options.AUX_ADD ? "residual" : "gate";
  }

  private void forwardRows(Kernel kernel, Tensor x, Tensor aux, Tensor y, Tensor stat0,
      Tensor stat1, long width, long span, int with, boolean heap) {
    if (parallel == null || x.rows() == 1) {
      kernel.forward(x.segment(), Tensor.segmentOf(aux), parameters.gain, parameters.bias,
          y.segment(), Tensor.segmentOf(stat0), Tensor.segmentOf(stat1), x.rows(), groups, width,
          span, x.rowStride(), Tensor.strideOf(aux), y.rowStride(), epsilon, parameters.gainOffset,
          divisorOf(span), with, heap);
    } else {
      parallel.run(new ForwardCall(kernel, x.segment(), Tensor.segmentOf(aux), parameters.gain,
          parameters.bias, y.segment(), Tensor.segmentOf(stat0), Tensor.segmentOf(stat1), x.rows(),
          groups, width, span, x.rowStride(), Tensor.strideOf(aux), y.rowStride(), epsilon,
          parameters.gainOffset, divisorOf(span), with, heap));
    }
  }

  private static IllegalArgumentException wrongOutput(Tensor y, boolean quantized) {
    return new IllegalArgumentException(quantized
        ? "y is " + y + ": a quantized one is I8"
        : "y is " + y + ", which needs a scale: the quantized forms write it");
  }

  /** Whether any of them is on the heap. */
  private boolean checkOthers(Tensor x, Tensor aux, int auxOption, Tensor y, Tensor stat0,
      Tensor stat1, boolean quantized) {
    boolean heap = false;
    if (aux != null) {
      checkAux(x, aux, auxOption, y);
      heap |= aux.onHeap();
    }
    if (stat0 != null) {
      checkSaved(stat0, stat0Name, x, aux, y);
      heap |= stat0.onHeap();
    }
    if (stat1 != null) {
      checkSaved(stat1, quantized ? "scale" : stat1Name, x, aux, y);
      Checks.apart(stat0, stat0Name, stat1, stat1Name);
      heap |= stat1.onHeap();
    }
    return heap;
  }

  private void checkAux(Tensor x, Tensor aux, int auxOption, Tensor y) {
    String name = auxName(auxOption);
    Checks.like(aux, name, x);
    if (auxOption == Options.AUX_ADD) {
      Checks.writable(aux, name);
      Checks.apart(aux, name, x, "x");
      parameters.checkApart(aux, name);
    }
    Checks.apart(aux, name, y, "y");
  }

  /** A statistic that is written. */
  private void checkSaved(Tensor t, String name, Tensor x, Tensor aux, Tensor y) {
    Checks.statistic(t, name, x.rows(), groups, x);
    Checks.writable(t, name);
    Checks.apart(t, name, x, "x");
    Checks.apart(t, name, y, "y");
    Checks.apart(t, name, aux, "residual or gate");
    parameters.checkApart(t, name);
  }

  /**
   * Takes gradients back.
   *
   * @param stat1 null if the operator has none
   * @param dx null if it is not wanted, as dGain and dBias
   */
  void backward(Tensor dy, Tensor x, Tensor stat0, Tensor stat1, Tensor dx, Tensor dGain,
      Tensor dBias) {
    Checks.present(x, dy, "dy");
    long width = groups == 1 ? x.cols() : widthOf(x);
    long span = spanOf(width, x);
    Kernel kernel = backward.of(x.type(), dy.type());
    boolean heap = checkBackward(dy, x, stat0, stat1, dx, dGain, dBias, gainLength(x, width));
    if (x.rows() == 0 || width == 0) {
      Parameters.clearGradients(dGain, dBias);
      return;
    }
    int with = options | parameters.option(x.type());
    try {
      backwardRows(kernel, dy, x, stat0, stat1, dx, dGain, dBias, width, span, with, heap);
    } catch (IllegalStateException | WrongThreadException e) {
      Checks.accessible(dy, "dy");
      Checks.accessible(x, "x");
      Checks.accessible(stat0, stat0Name);
      Checks.accessible(stat1, stat1Name);
      Checks.accessible(dx, "dx");
      Checks.accessible(dGain, "dGain");
      Checks.accessible(dBias, "dBias");
      parameters.checkAccessible();
      throw e;
    }
  }

  private void backwardRows(Kernel kernel, Tensor dy, Tensor x, Tensor stat0, Tensor stat1,
      Tensor dx, Tensor dGain, Tensor dBias, long width, long span, int with, boolean heap) {
    if (parallel == null) {
      kernel.backward(dy.segment(), x.segment(), parameters.gain, stat0.segment(),
          Tensor.segmentOf(stat1), Tensor.segmentOf(dx), Tensor.segmentOf(dGain),
          Tensor.segmentOf(dBias), x.rows(), groups, width, span, dy.rowStride(), x.rowStride(),
          Tensor.strideOf(dx), epsilon, parameters.gainOffset, divisorOf(span), with, heap);
    } else {
      parallel.run(new BackwardCall(kernel, dy.segment(), x.segment(), parameters.gain,
          stat0.segment(), Tensor.segmentOf(stat1), Tensor.segmentOf(dx), Tensor.segmentOf(dGain),
          Tensor.segmentOf(dBias), x.rows(), groups, width, span, dy.rowStride(), x.rowStride(),
          Tensor.strideOf(dx), epsilon, parameters.gainOffset, divisorOf(span), with, heap));
    }
  }

  /**
   * Checks what backward reads and writes.
   *
   * @param length of the gain
   * @return whether any of it is on the heap
   */
  private boolean checkBackward(Tensor dy, Tensor x, Tensor stat0, Tensor stat1, Tensor dx,
      Tensor dGain, Tensor dBias, long length) {
    Checks.shape(dy, "dy", x);
    Objects.requireNonNull(stat0, stat0Name);
    Checks.statistic(stat0, stat0Name, x.rows(), groups, x);
    boolean heap = x.onHeap() | dy.onHeap() | stat0.onHeap() | parameters.onHeap;
    if (stat1 != null) {
      Checks.statistic(stat1, stat1Name, x.rows(), groups, x);
      heap |= stat1.onHeap();
    }
    parameters.check(x, length);
    if (dx != null) {
      Checks.like(dx, "dx", x);
      Checks.writable(dx, "dx");
      Checks.sameOrApart(dx, "dx", dy, "dy");
      Checks.sameOrApart(dx, "dx", x, "x");
      checkApartFromInputs(dx, "dx", stat0, stat1);
      heap |= dx.onHeap();
    }
    if (dGain != null) {
      checkSum(dGain, "dGain", length, dy, x, stat0, stat1, dx);
      heap |= dGain.onHeap();
    }
    if (dBias != null) {
      checkSum(dBias, "dBias", length, dy, x, stat0, stat1, dx);
      Checks.apart(dGain, "dGain", dBias, "dBias");
      heap |= dBias.onHeap();
    }
    return heap;
  }

  /** The gradient of gain or bias. */
  private void checkSum(Tensor t, String name, long length, Tensor dy, Tensor x, Tensor stat0,
      Tensor stat1, Tensor dx) {
    boolean perRow = gainLayout == Options.GAIN_PER_ROW;
    Checks.statistic(t, name, perRow ? length : 1, perRow ? 1 : length, x);
    Checks.writable(t, name);
    Checks.apart(t, name, dy, "dy");
    Checks.apart(t, name, x, "x");
    Checks.apart(t, name, dx, "dx");
    checkApartFromInputs(t, name, stat0, stat1);
  }

  private void checkApartFromInputs(Tensor output, String name, Tensor stat0, Tensor stat1) {
    Checks.apart(output, name, stat0, stat0Name);
    Checks.apart(output, name, stat1, stat1Name);
    parameters.checkApart(output, name);
  }

  private long widthOf(Tensor x) {
    if (x.cols() % groups != 0) {
      throw new IllegalArgumentException("x is " + x + ", not " + groups + " groups of columns");
    }
    return x.cols() / groups;
  }

  /** How many columns of a group of x are summed. */
  private long spanOf(long width, Tensor x) {
    if (partialWidth > width) {
      throw new IllegalArgumentException("partial width is " + partialWidth + ", but x is " + x
          + (groups == 1 ? "" : " in " + groups + " groups"));
    }
    return spanOf(width);
  }

  private long spanOf(long width) {
    if (partialWidth > 0) {
      return partialWidth;
    }
    if (partial == 1) {
      return width;
    }
    double share = width * partial;
    return (long) (partialRoundsDown ? Math.max(1, Math.floor(share)) : Math.ceil(share));
  }

  /** What divides a sum over so many columns. */
  private double divisorOf(long span) {
    return divisor == 0 ? span : divisor;
  }

  private long gainLength(Tensor x, long width) {
    return switch (gainLayout) {
      case Options.GAIN_PER_COLUMN -> x.cols();
      case Options.GAIN_SHARED -> width;
      case Options.GAIN_PER_GROUP -> groups;
      default -> x.rows();
    };
  }
}
