package dev.panorm.internal;

import java.lang.foreign.MemorySegment;

/** An operator for a pair of element types on one backend. Arguments have been checked. */
public sealed interface Kernel permits JavaKernel, NativeKernel {
  /** The operator. */
  Op op();

  /** The type of x and dx. */
  Element x();

  /** The type of y and dy. */
  Element y();

  /** Normalizes. Parameters are those of a {@link ForwardCall}, which need not be made for a call. */
  void forward(MemorySegment x, MemorySegment aux, MemorySegment gain, MemorySegment bias,
      MemorySegment y, MemorySegment stat0, MemorySegment stat1, long rows, long groups, long width,
      long span, long xStride, long auxStride, long yStride, double epsilon, double gainOffset,
      double divisor, int options, boolean heap);

  /**
   * Normalizes one row, as {@link #forward} does with no gate, gain offset, other options or other
   * statistics than the scale: fewer arguments, which take time to pass.
   *
   * @param residual NULL if there is none
   * @param scale NULL unless y is I8
   */
  default void forwardRow(MemorySegment x, MemorySegment residual, MemorySegment gain,
      MemorySegment bias, MemorySegment y, MemorySegment scale, long width, long span,
      double epsilon, double divisor, boolean heap) {
    int options = Pieces.present(residual) ? Options.AUX_ADD : Options.AUX_NONE;
    forward(x, residual, gain, bias, y, MemorySegment.NULL, scale, 1, 1, width, span, width, width,
        width, epsilon, 0, divisor, options, heap);
  }

  /** Takes gradients back. Parameters are those of a {@link BackwardCall}. */
  void backward(MemorySegment dy, MemorySegment x, MemorySegment gain, MemorySegment stat0,
      MemorySegment stat1, MemorySegment dx, MemorySegment dGain, MemorySegment dBias, long rows,
      long groups, long width, long span, long dyStride, long xStride, long dxStride,
      double epsilon, double gainOffset, double divisor, int options, boolean heap);

  /**
   * Refuses rows, or groups of them, that are too wide. A call does so itself, unless it is cut by
   * columns: its parts are narrower.
   *
   * @throws IllegalArgumentException if they are too wide
   */
  default void requireWidth(long width) {}

  /** The kernel in Java; null if the operator does not exist for these types. */
  static Kernel inJava(Op op, Element x, Element y) {
    return op.supports(x, y) ? new JavaKernel(op, x, y) : null;
  }
}
