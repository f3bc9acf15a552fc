package dev.panorm.internal;

import java.lang.foreign.MemorySegment;

/**
 * The kernels in plain Java: the fallback where no native library fits, and the specification that
 * every native backend is compared with bit for bit. Written to be read.
 */
record JavaKernel(Op op, Element x, Element y) implements Kernel {
  @Override
  public void forward(ForwardCall c) {
    requireAccess(c.x(), c.aux(), c.gain(), c.bias(), c.y(), c.stat0(), c.stat1());
    switch (op) {
      case RMS_NORM, LAYER_NORM -> new RowForward(c).run();
      default -> new BatchForward(c).run();
    }
  }

  @Override
  public void backward(BackwardCall c) {
    requireAccess(c.dy(), c.x(), c.gain(), c.stat0(), c.stat1(), c.dx(), c.dGain(), c.dBias());
    switch (op) {
      case RMS_NORM_BACKWARD, LAYER_NORM_BACKWARD -> new RowBackward(c).run();
      default -> new BatchBackward(c).run();
    }
  }

  /** As a native call does: all memory is there, for this thread, before any is written. */
  private static void requireAccess(MemorySegment... segments) {
    for (MemorySegment segment : segments) {
      if (!segment.scope().isAlive()) {
        throw new IllegalStateException("Already closed");
      }
      if (!segment.isAccessibleBy(Thread.currentThread())) {
        throw new WrongThreadException("Memory is confined to another thread");
      }
    }
  }
}
