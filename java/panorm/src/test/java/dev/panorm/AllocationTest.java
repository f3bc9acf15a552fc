package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Calls allocate nothing once they are compiled; a program tries it in a JVM of its own. */
class AllocationTest {
  @Test
  void compiledCallsAllocateNothing() {
    Jvm.Result result = Jvm.running(Program.class).run();
    assertEquals("", result.out() + result.err());
  }

  /** Prints the uses that go on allocating. */
  static final class Program {
    private static final int CALLS = 10_000;
    private static final int ROUNDS = 300;

    public static void main(String[] args) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (Use<?> use : Use.ALL) {
        Runnable call = use.on(new OffHeap());
        long bytes = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS && bytes > 0; round++) {
          long before = threads.getCurrentThreadAllocatedBytes();
          for (int i = 0; i < CALLS; i++) {
            call.run();
          }
          bytes = threads.getCurrentThreadAllocatedBytes() - before;
        }
        if (bytes > 0) {
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
