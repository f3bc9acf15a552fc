package dev.panorm.internal;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Objects;

/**
 * A kernel of the native library, called at its address. All kernels of a direction share one
 * signature, so three handles a direction serve them all, and two those for one row; each is
 * linked when first needed; rows do not wait for theirs ({@link FirstRows}).
 *
 * @param row the address of the kernel for one row; NULL if the operator has none
 */
public record NativeKernel(MemorySegment address, MemorySegment row, Op op, Element x,
    Element y) implements Kernel {
  /**
   * Up to here a call is critical: it skips the thread's change of state, which saves a few ns, but
   * holds up a garbage collection for as long as it runs. That is 3 to 25 microseconds, gated f64 50;
   * in scalar code, which rows beyond the range of float need on every backend, 0.3 to 3 milliseconds.
   */
  private static final long CRITICAL_ELEMENTS = 1 << 15;

  private static MethodHandle link(FunctionDescriptor kernel, Linker.Option... options) {
    return Linker.nativeLinker().downcallHandle(kernel, options);
  }

  /** The widest row that CriticalRow's handle is called for: none before it is linked. */
  private static volatile long widestRow;

  /** Links CriticalRow's handle. */
  static void linkRow() {
    try {
      Objects.requireNonNull(CriticalRow.HANDLE);
    } catch (RuntimeException | LinkageError e) {
      // Whoever calls it meets it too.
    } finally {
      widestRow = CRITICAL_ELEMENTS;
    }
  }

  static boolean rowIsLinked() {
    return widestRow > 0;
  }

  private static final class CriticalRow {
    static final MethodHandle HANDLE = link(KernelSignatures.FORWARD_ROW,
        Linker.Option.critical(false));
  }

  private static final class HeapRow {
    static final MethodHandle HANDLE = link(KernelSignatures.FORWARD_ROW,
        Linker.Option.critical(true));
  }

  private static final class Forward {
    static final MethodHandle HANDLE = link(KernelSignatures.FORWARD);
  }

  private static final class CriticalForward {
    static final MethodHandle HANDLE = link(KernelSignatures.FORWARD,
        Linker.Option.critical(false));
  }

  /** Critical calls are the only ones that may see Java arrays. */
  private static final class HeapForward {
    static final MethodHandle HANDLE = link(KernelSignatures.FORWARD, Linker.Option.critical(true));
  }

  private static final class Backward {
    static final MethodHandle HANDLE = link(KernelSignatures.BACKWARD);
  }

  private static final class CriticalBackward {
    static final MethodHandle HANDLE = link(KernelSignatures.BACKWARD,
        Linker.Option.critical(false));
  }

  private static final class HeapBackward {
    static final MethodHandle HANDLE = link(KernelSignatures.BACKWARD,
        Linker.Option.critical(true));
  }

  @Override
  public void forwardRow(MemorySegment x, MemorySegment residual, MemorySegment gain,
      MemorySegment bias, MemorySegment y, MemorySegment scale, long width, long span,
      double epsilon, double divisor, boolean heap) {
    if (width > widestRow) {
      forwardOtherRow(x, residual, gain, bias, y, scale, width, span, epsilon, divisor, heap);
      return;
    }
    boolean scaledOrBiased = Pieces.present(bias) || Pieces.present(scale);
    boolean adds = Pieces.present(residual);
    try { // what is known to be absent costs nothing to pass
      if (heap && scaledOrBiased) {
        requireOk((int) HeapRow.HANDLE.invokeExact(row, x, gain, y, bias, residual, width, span,
            scale, epsilon, divisor));
      } else if (heap && adds) {
        requireOk((int) HeapRow.HANDLE.invokeExact(row, x, gain, y, MemorySegment.NULL, residual,
            width, span, MemorySegment.NULL, epsilon, divisor));
      } else if (heap) {
        requireOk((int) HeapRow.HANDLE.invokeExact(row, x, gain, y, MemorySegment.NULL,
            MemorySegment.NULL, width, span, MemorySegment.NULL, epsilon, divisor));
      } else if (scaledOrBiased) {
        requireOk((int) CriticalRow.HANDLE.invokeExact(row, x, gain, y, bias, residual, width, span,
            scale, epsilon, divisor));
      } else if (adds) {
        requireOk((int) CriticalRow.HANDLE.invokeExact(row, x, gain, y, MemorySegment.NULL,
            residual, width, span, MemorySegment.NULL, epsilon, divisor));
      } else {
        requireOk((int) CriticalRow.HANDLE.invokeExact(row, x, gain, y, MemorySegment.NULL,
            MemorySegment.NULL, width, span, MemorySegment.NULL, epsilon, divisor));
      }
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private void forwardOtherRow(MemorySegment x, MemorySegment residual, MemorySegment gain,
      MemorySegment bias, MemorySegment y, MemorySegment scale, long width, long span,
      double epsilon, double divisor, boolean heap) {
    if (width > CRITICAL_ELEMENTS) {
      Kernel.super.forwardRow(x, residual, gain, bias, y, scale, width, span, epsilon, divisor,
          heap);
    } else {
      FirstRows.forwardRow(this, x, residual, gain, bias, y, scale, width, span, epsilon, divisor);
    }
  }

  @Override
  public void forward(MemorySegment x, MemorySegment aux, MemorySegment gain, MemorySegment bias,
      MemorySegment y, MemorySegment stat0, MemorySegment stat1, long rows, long groups, long width,
      long span, long xStride, long auxStride, long yStride, double epsilon, double gainOffset,
      double divisor, int options, boolean heap) {
    if (rows * groups * width > CRITICAL_ELEMENTS) {
      if (heap) {
        forwardInPieces(new ForwardCall(this, x, aux, gain, bias, y, stat0, stat1, rows, groups,
            width, span, xStride, auxStride, yStride, epsilon, gainOffset, divisor, options, true));
      } else {
        forwardLong(x, aux, gain, bias, y, stat0, stat1, rows, groups, width, span, xStride,
            auxStride, yStride, epsilon, gainOffset, divisor, options);
      }
      return;
    }
    try {
      if (heap) {
        requireOk((int) HeapForward.HANDLE.invokeExact(address, x, aux, gain, bias, y, stat0, stat1,
            rows, groups, width, span, xStride, auxStride, yStride, epsilon, gainOffset, divisor,
            options));
      } else {
        requireOk((int) CriticalForward.HANDLE.invokeExact(address, x, aux, gain, bias, y, stat0,
            stat1, rows, groups, width, span, xStride, auxStride, yStride, epsilon, gainOffset,
            divisor, options));
      }
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private void forwardLong(MemorySegment x, MemorySegment aux, MemorySegment gain,
      MemorySegment bias, MemorySegment y, MemorySegment stat0, MemorySegment stat1, long rows,
      long groups, long width, long span, long xStride, long auxStride, long yStride,
      double epsilon, double gainOffset, double divisor, int options) {
    try {
      requireOk((int) Forward.HANDLE.invokeExact(address, x, aux, gain, bias, y, stat0, stat1, rows,
          groups, width, span, xStride, auxStride, yStride, epsilon, gainOffset, divisor, options));
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /**
   * On the heap. A row that is longer than a piece, and BatchNorm's training, which needs all rows of
   * its 64 columns, hold up the collector all the same.
   */
  private void forwardInPieces(ForwardCall c) {
    try {
      List<ForwardCall> pieces = c.cut(Math.ceilDiv(c.elements(), CRITICAL_ELEMENTS));
      if (pieces.size() > 1) {
        pieces.forEach(ForwardCall::run);
        return;
      }
      requireOk((int) HeapForward.HANDLE.invokeExact(address, c.x(), c.aux(), c.gain(), c.bias(),
          c.y(), c.stat0(), c.stat1(), c.rows(), c.groups(), c.width(), c.span(), c.xStride(),
          c.auxStride(), c.yStride(), c.epsilon(), c.gainOffset(), c.divisor(), c.options()));
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  @Override
  public void backward(MemorySegment dy, MemorySegment x, MemorySegment gain, MemorySegment stat0,
      MemorySegment stat1, MemorySegment dx, MemorySegment dGain, MemorySegment dBias, long rows,
      long groups, long width, long span, long dyStride, long xStride, long dxStride,
      double epsilon, double gainOffset, double divisor, int options, boolean heap) {
    if (rows * groups * width > CRITICAL_ELEMENTS) {
      if (heap) {
        backwardInPieces(
            new BackwardCall(this, dy, x, gain, stat0, stat1, dx, dGain, dBias, rows, groups, width,
                span, dyStride, xStride, dxStride, epsilon, gainOffset, divisor, options, true));
      } else {
        backwardLong(dy, x, gain, stat0, stat1, dx, dGain, dBias, rows, groups, width, span,
            dyStride, xStride, dxStride, epsilon, gainOffset, divisor, options);
      }
      return;
    }
    try {
      if (heap) {
        requireOk((int) HeapBackward.HANDLE.invokeExact(address, dy, x, gain, stat0, stat1, dx,
            dGain, dBias, rows, groups, width, span, dyStride, xStride, dxStride, epsilon,
            gainOffset, divisor, options));
      } else {
        requireOk((int) CriticalBackward.HANDLE.invokeExact(address, dy, x, gain, stat0, stat1, dx,
            dGain, dBias, rows, groups, width, span, dyStride, xStride, dxStride, epsilon,
            gainOffset, divisor, options));
      }
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private void backwardLong(MemorySegment dy, MemorySegment x, MemorySegment gain,
      MemorySegment stat0, MemorySegment stat1, MemorySegment dx, MemorySegment dGain,
      MemorySegment dBias, long rows, long groups, long width, long span, long dyStride,
      long xStride, long dxStride, double epsilon, double gainOffset, double divisor, int options) {
    try {
      requireOk((int) Backward.HANDLE.invokeExact(address, dy, x, gain, stat0, stat1, dx, dGain,
          dBias, rows, groups, width, span, dyStride, xStride, dxStride, epsilon, gainOffset,
          divisor, options));
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /**
   * On the heap. A row that is longer than a piece, the 16 that are added up together (0.1 ms of 8192
   * columns, and of no more at once if there is one group of them with a gain per column), and 64
   * columns of BatchNorm, which needs all rows, hold up the collector all the same.
   */
  private void backwardInPieces(BackwardCall c) {
    try {
      List<BackwardCall> pieces = c.cutInOrder(CRITICAL_ELEMENTS);
      if (pieces.size() > 1) {
        pieces.forEach(BackwardCall::run);
        return;
      }
      requireOk((int) HeapBackward.HANDLE.invokeExact(address, c.dy(), c.x(), c.gain(), c.stat0(),
          c.stat1(), c.dx(), c.dGain(), c.dBias(), c.rows(), c.groups(), c.width(), c.span(),
          c.dyStride(), c.xStride(), c.dxStride(), c.epsilon(), c.gainOffset(), c.divisor(),
          c.options()));
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** What a handle can throw: for a closed arena, or one of another thread. */
  private static RuntimeException unchecked(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> new IllegalStateException(e);
    };
  }

  static void requireOk(int status) {
    if (status != 0) {
      throw new AssertionError("kernel returned status " + status);
    }
  }
}
