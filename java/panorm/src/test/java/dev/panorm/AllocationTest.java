package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What calls allocate once they are compiled; a program finds out in a JVM of its own. */
class AllocationTest {
  /**
   * The record of a call's arguments. C2 removes it only if it inlines all that sees it, which
   * depends on the order in which it compiles.
   */
  private static final long ALLOWED = 136;

  @Test
  void compiledCallsAllocateNothingElse() {
    Jvm.Result result = Jvm.running(Program.class).run();
    assertEquals("", result.out() + result.err());
  }

  /** Prints the uses that go on allocating more. */
  static final class Program {
    private static final int CALLS = 10_000;
    private static final int ROUNDS = 300;

    public static void main(String[] args) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (Use<?> use : Use.ALL) {
        Runnable call = use.on(new OffHeap());
        long bytes = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS && bytes > CALLS * ALLOWED; round++) {
          long before = threads.getCurrentThreadAllocatedBytes();
          for (int i = 0; i < CALLS; i++) {
            call.run();
          }
          bytes = threads.getCurrentThreadAllocatedBytes() - before;
        }
        if (bytes > CALLS * ALLOWED) {
          System.out.println(use.name() + ": " + bytes + " B in " + CALLS + " calls");
        }
      }
    }
  }

  private static final class OffHeap extends Operands {
    OffHeap() {
      super(Panorm.backend(), DType.F32, 1, 64);
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      return fill(Tensor.allocate(Arena.ofAuto(), type, rows, cols), index, 1);
    }
  }
}
