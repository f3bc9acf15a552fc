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
    assertEquals(0, result.exit());
  }

  /** Prints the uses that go on allocating. */
  static final class Program {
    private static final int ROUNDS = 300;

    /** More elements than a critical call has. */
    private static final int LARGE_ROWS = 16;
    private static final int LARGE_COLS = 4096;

    public static void main(String[] args) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (Use<?> use : Use.ALL) {
        // Large ones on the heap do allocate, which must not make others do so.
        Tensor array = Tensor.ofArray(new float[LARGE_ROWS * LARGE_COLS], 0, LARGE_ROWS,
            LARGE_COLS);
        RmsNorm.builder().build().forward(array, array);
        check(threads, use, 1, 64, 10_000);
        check(threads, use, 3, 64, 10_000);
        check(threads, use, LARGE_ROWS, LARGE_COLS, 100);
      }
    }

    private static void check(ThreadMXBean threads, Use<?> use, long rows, long cols, int calls) {
      Runnable call = use.on(new OffHeap(rows, cols));
      long bytes = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && bytes > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < calls; i++) {
          call.run();
        }
        bytes = threads.getCurrentThreadAllocatedBytes() - before;
      }
      if (bytes > 0) {
        System.out.printf("%s, %d x %d: %d B in %d calls%n", use.name(), rows, cols, bytes, calls);
      }
    }
  }

  private static final class OffHeap extends Operands {
    OffHeap(long rows, long cols) {
      super(Panorm.backend(), DType.F32, rows, cols);
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      return fill(Tensor.allocate(Arena.ofAuto(), type, rows, cols), index, 1);
    }
  }
}
