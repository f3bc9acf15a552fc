package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

    /** More elements than a critical call has; half of the rows, as many. */
    private static final int LARGE_ROWS = 16;
    private static final int LARGE_COLS = 4096;

    public static void main(String[] args) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (Use<?> use : Use.ALL) {
        // Large ones on the heap do allocate, which must not make others do so.
        Tensor array = Tensor.ofArray(new float[LARGE_ROWS * LARGE_COLS], 0, LARGE_ROWS,
            LARGE_COLS);
        RmsNorm.builder().build().forward(array, array);
        for (boolean heap : new boolean[] {false, true}) {
          check(threads, use, 1, 64, heap, 10_000);
          check(threads, use, 3, 64, heap, 10_000);
          check(threads, use, heap ? LARGE_ROWS / 2 : LARGE_ROWS, LARGE_COLS, heap, 100);
        }
      }
    }

    private static void check(ThreadMXBean threads, Use<?> use, long rows, long cols, boolean heap,
        int calls) {
      Runnable call = use.on(new Memory(rows, cols, heap));
      long bytes = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && bytes > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < calls; i++) {
          call.run();
        }
        bytes = threads.getCurrentThreadAllocatedBytes() - before;
      }
      if (bytes > 0) {
        System.out.printf("%s, %d x %d%s: %d B in %d calls%n", use.name(), rows, cols,
            heap ? " on the heap" : "", bytes, calls);
      }
    }
  }

  private static final class Memory extends Operands {
    private final boolean heap;

    Memory(long rows, long cols, boolean heap) {
      super(Panorm.backend(), DType.F32, rows, cols);
      this.heap = heap;
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      if (!heap) {
        return fill(Tensor.allocate(Arena.ofAuto(), type, rows, cols), index, 1);
      }
      int elements = Math.toIntExact(rows * cols);
      MemorySegment array = type == DType.I8
          ? MemorySegment.ofArray(new byte[elements])
          : MemorySegment.ofArray(new float[elements]);
      return fill(Tensor.ofSegment(array, type, rows, cols), index, 1);
    }
  }
}
