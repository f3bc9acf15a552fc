package dev.panorm.internal;

import java.lang.foreign.MemorySegment;

/**
 * The kernels in plain Java: the fallback where no native library fits, and the specification that
 * every native backend is compared with bit for bit. Written to be read.
 */
record JavaKernel(Op op, Element x, Element y) implements Kernel {
  @Override
  public void forward(MemorySegment x, MemorySegment aux, MemorySegment gain, MemorySegment bias,
      MemorySegment y, MemorySegment stat0, MemorySegment stat1, long rows, long groups, long width,
      long span, long xStride, long auxStride, long yStride, double epsilon, double gainOffset,
      double divisor, int options, boolean heap) {
    Pieces.requireAccess(x, aux, gain, bias, y, stat0, stat1);
    requireWidth(width);
    ForwardCall c = new ForwardCall(this, x, aux, gain, bias, y, stat0, stat1, rows, groups, width,
        span, xStride, auxStride, yStride, epsilon, gainOffset, divisor, options, heap);
    switch (op) {
      case RMS_NORM, LAYER_NORM -> new RowForward(c).run();
      default -> new BatchForward(c).run();
    }
  }

  @Override
  public void backward(MemorySegment dy, MemorySegment x, MemorySegment gain, MemorySegment stat0,
      MemorySegment stat1, MemorySegment dx, MemorySegment dGain, MemorySegment dBias, long rows,
      long groups, long width, long span, long dyStride, long xStride, long dxStride,
      double epsilon, double gainOffset, double divisor, int options, boolean heap) {
    Pieces.requireAccess(dy, x, gain, stat0, stat1, dx, dGain, dBias);
    requireWidth(width);
    BackwardCall c = new BackwardCall(this, dy, x, gain, stat0, stat1, dx, dGain, dBias, rows,
        groups, width, span, dyStride, xStride, dxStride, epsilon, gainOffset, divisor, options,
        heap);
    switch (op) {
      case RMS_NORM_BACKWARD, LAYER_NORM_BACKWARD -> new RowBackward(c).run();
      default -> new BatchBackward(c).run();
    }
  }

  /** Here a row, or a group of it, is held in an array: the longest that a JVM is sure to make. */
  private static final int LONGEST = Integer.MAX_VALUE - 8;

  @Override
  public void requireWidth(long width) {
    if (!op.overRows() && width > LONGEST) {
      throw new IllegalArgumentException(
          "The Java backend takes rows of up to " + LONGEST + " elements, not " + width);
    }
  }
}
