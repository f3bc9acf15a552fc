package dev.panorm.internal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Rows until the handle that calls their kernels is linked, which takes a new JVM a tenth of a
 * second and begins with the first of them: by JNI, which needs no linking. JNI takes addresses, and
 * does not keep an arena from being closed meanwhile, so it gets copies.
 */
public final class FirstRows {
  /**
   * So many go this way, then all wait for the handle. Or most of the 5000 calls that the compiler
   * looks at would have gone this way, and it would take the other for rare, and slow for good.
   */
  private static final int MOST = 2000;

  private static final long ALIGNMENT = 64;

  private static int calls;

  /**
   * Of x, gain, bias, residual, y and scale, each {@code apart} bytes behind the one before; for the
   * collector to free once the handle is linked.
   */
  private static MemorySegment copies = MemorySegment.NULL;

  static {
    // Not a lambda: the first one takes a new JVM milliseconds.
    Thread thread = new Thread("panorm-link") {
      @Override
      public void run() {
        NativeKernel.linkRow();
        release();
      }
    };
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      NativeKernel.linkRow(); // no thread is to be had
    }
  }

  private FirstRows() {}

  private static synchronized void release() {
    copies = MemorySegment.NULL;
  }

  /** {@link Kernel#forwardRow}. */
  public static synchronized void forwardRow(NativeKernel kernel, MemorySegment x,
      MemorySegment residual, MemorySegment gain, MemorySegment bias, MemorySegment y,
      MemorySegment scale, long width, long span, double epsilon, double divisor) {
    if (++calls > MOST) {
      NativeKernel.linkRow();
    }
    Pieces.requireAccess(x, residual, gain, bias, y, scale);
    long bytes = width * kernel.x().size;
    long apart = Math.ceilDiv(width * Element.F64.size, ALIGNMENT) * ALIGNMENT;
    if (copies.byteSize() < 6 * apart) {
      copies = Arena.ofAuto().allocate(6 * apart, ALIGNMENT);
    }
    long biasAt = 2 * apart;
    long residualAt = 3 * apart;
    long yAt = 4 * apart;
    long scaleAt = 5 * apart;
    copyIn(x, 0, bytes);
    copyIn(gain, apart, bytes);
    copyIn(bias, biasAt, bytes);
    copyIn(residual, residualAt, bytes);
    NativeKernel.requireOk(call(kernel.row().address(), address(x, 0), address(gain, apart),
        address(y, yAt), address(bias, biasAt), address(residual, residualAt), width, span,
        address(scale, scaleAt), epsilon, divisor));
    copyOut(yAt, y, width * kernel.y().size);
    copyOut(residualAt, residual, bytes);
    copyOut(scaleAt, scale, Element.statisticOf(kernel.x()).size);
    if (NativeKernel.rowIsLinked()) { // the thread may have released before this row
      release();
    }
  }

  private static void copyIn(MemorySegment segment, long at, long bytes) {
    if (Pieces.present(segment)) {
      MemorySegment.copy(segment, 0, copies, at, bytes);
    }
  }

  private static void copyOut(long at, MemorySegment segment, long bytes) {
    if (Pieces.present(segment)) {
      MemorySegment.copy(copies, at, segment, 0, bytes);
    }
  }

  private static long address(MemorySegment segment, long at) {
    return Pieces.present(segment) ? copies.address() + at : 0;
  }

  /** panorm_forward_row. */
  private static native int call(long kernel, long x, long gain, long y, long bias, long residual,
      long width, long span, long scale, double epsilon, double divisor);
}
