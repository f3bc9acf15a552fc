package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/**
 * Kernels need no more of a thread's stack than the JVM keeps free for native code: else it would
 * crash where Java throws a StackOverflowError. A program tries it in a JVM of its own.
 */
class StackTest {
  @Test
  void callsAtTheEndOfTheStack() {
    Jvm.Result result = Jvm.running(Program.class).run();
    assertEquals("", result.out() + result.err());
    assertEquals(0, result.exit());
  }

  /** Prints nothing, or crashes. */
  static final class Program {
    private static final long STACK_BYTES = 160 << 10;

    public static void main(String[] args) throws InterruptedException {
      for (Backend backend : KernelId.nativeBackends()) {
        for (Use<?> use : Use.ALL) {
          for (DType type : use.types()) {
            callAtTheEnd(use, backend, type);
          }
        }
      }
    }

    private static void callAtTheEnd(Use<?> use, Backend backend, DType type)
        throws InterruptedException {
      Runnable call = use.on(new Huge(backend, type));
      call.run(); // links and loads what it needs
      Thread thread = new Thread(null, () -> overflow(call), use.name(), STACK_BYTES);
      thread.start();
      thread.join();
    }

    private static void overflow(Runnable call) {
      try {
        recurse(call, 0);
      } catch (StackOverflowError e) {
        // As it should.
      }
    }

    /** Calls about once a kilobyte. */
    private static int recurse(Runnable call, int depth) {
      if (depth % 8 == 0) {
        call.run();
      }
      return recurse(call, depth + 1) + 1;
    }
  }

  /** Of which f32 cannot hold the sums, so that rows are taken again, in more of the stack. */
  private static final class Huge extends Operands {
    Huge(Backend backend, DType type) {
      super(backend, type, 2, 100);
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      // In no arena to be closed: a call that the end of the stack cuts short may hold it for good.
      Tensor t = Tensor.allocate(Arena.ofAuto(), type, rows, cols);
      return read ? fill(t, index, 0x1p100) : t;
    }
  }
}
