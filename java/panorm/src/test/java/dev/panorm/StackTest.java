package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.util.List;
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
      for (Backend backend : Panorm.availableBackends()) {
        for (DType type : List.of(DType.F32, DType.BF16)) {
          for (Use<?> use : Use.ALL) {
            if (backend != Backend.JAVA && use.types().contains(type)) {
              try (Arena arena = Arena.ofShared()) {
                Runnable call = use.on(new Huge(backend, type, arena));
                call.run(); // links and loads what it needs
                Thread thread = new Thread(null, () -> overflow(call), use.name(), STACK_BYTES);
                thread.start();
                thread.join();
              }
            }
          }
        }
      }
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
    private final Arena arena;

    Huge(Backend backend, DType type, Arena arena) {
      super(backend, type, 2, 100);
      this.arena = arena;
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      Tensor t = Tensor.allocate(arena, type, rows, cols);
      return read ? fill(t, index, 1e30) : t;
    }
  }
}
