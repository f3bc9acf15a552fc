package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A long call does not hold up other threads, as a critical one does until it ends: all of them wait
 * for it when the collector wants them to stop. A program tries it in a JVM of its own.
 */
class SafepointTest {
  @Test
  void longCallsHoldUpNobody() {
    Jvm.Result result = Jvm.running(Program.class).run();
    assertEquals("", result.out() + result.err());
    assertEquals(0, result.exit());
  }

  /** Prints the calls that do. */
  static final class Program {
    /** By the slowest kernels: few elements take long. */
    private static final RmsNorm NORM = RmsNorm.builder().backend(Backend.SCALAR).build();

    private static final int COLS = 1024;

    /** Of one column each. */
    private static final RmsNorm GROUPS = RmsNorm.builder()
        .groups(16 * COLS)
        .backend(Backend.SCALAR)
        .build();

    /** From enough for a call that is neither short nor one piece to enough for seconds. */
    private static final int[] ROWS = {128, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16};

    /**
     * All threads stop hundreds of times in the first long call, or in a longer one where others
     * take the processors. If they have to wait for its end it is once, and as often as there is
     * time for just before and after it.
     */
    private static final int ENOUGH_STOPS = 50;

    private static volatile boolean begun;
    private static volatile boolean ended;

    public static void main(String[] args) throws InterruptedException {
      for (boolean heap : new boolean[] {false, true}) {
        check("forward", heap, (x, y, inverse, dGain) -> NORM.gatedForward(x, x, y));
        check("backward", heap,
            (dy, dx, inverse, dGain) -> NORM.backward(dy, dy, inverse, dx, dGain));
      }
      check("one row", false,
          (x, y, inverse, dGain) -> NORM.forward(wider(x, x.rows()), wider(y, x.rows())));
      check("groups", false,
          (x, y, inverse, dGain) -> GROUPS.gatedForward(wider(x, 16), wider(x, 16), wider(y, 16)));
    }

    /** The same elements in fewer rows. */
    private static Tensor wider(Tensor t, long rows) {
      return Tensor.ofSegment(t.segment(), DType.F32, t.rows() / rows, t.cols() * rows);
    }

    private interface Call {
      void on(Tensor read, Tensor written, Tensor statistic, Tensor sums);
    }

    private static void check(String name, boolean heap, Call call) throws InterruptedException {
      stopsDuring(call, heap, ROWS[0]); // links and loads what it needs
      List<Integer> stops = new ArrayList<>();
      for (int i = 1; i < ROWS.length; i++) {
        stops.add(stopsDuring(call, heap, ROWS[i]));
        if (stops.getLast() >= ENOUGH_STOPS) {
          return;
        }
      }
      System.out.println(name + (heap ? " on" : " off") + " the heap: all threads stopped " + stops
          + " times in longer and longer calls");
    }

    /** How often all threads could be stopped while another made a call. */
    private static int stopsDuring(Call call, boolean heap, int rows) throws InterruptedException {
      try (Arena arena = Arena.ofShared()) {
        Tensor read = tensor(arena, heap, rows, COLS);
        Tensor written = tensor(arena, heap, rows, COLS);
        Tensor statistic = tensor(arena, heap, rows, 1);
        Tensor sums = tensor(arena, heap, 1, COLS);
        begun = false;
        ended = false;
        Thread caller = Thread.ofPlatform().start(() -> {
          begun = true;
          call.on(read, written, statistic, sums);
          ended = true;
        });
        int stops = 0;
        while (!ended && caller.isAlive()) {
          boolean counts = begun;
          Thread.getAllStackTraces(); // of one moment, at which all threads have stopped
          stops += counts ? 1 : 0;
        }
        caller.join();
        if (!ended) {
          throw new IllegalStateException("the call failed");
        }
        return stops;
      }
    }

    private static Tensor tensor(Arena arena, boolean heap, int rows, int cols) {
      MemorySegment memory = heap
          ? MemorySegment.ofArray(new float[rows * cols])
          : arena.allocate(4L * rows * cols, 64);
      return Tensor.ofSegment(memory.fill((byte) 0x3f), DType.F32, rows, cols);
    }
  }
}
