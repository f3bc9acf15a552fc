package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Up to a hundred threads call shared operators on shared memory, which is freed under them. Each
 * call gives the right answer or throws; a program does it in a JVM of its own, which could crash.
 */
class ConcurrencyTest {
  /** Of one row by fewer threads, or one of them would be in a call whenever memory is to go. */
  @ParameterizedTest
  @CsvSource({"1, 10", "4, 100"})
  void memoryFreedDuringCalls(String rows, String threads) {
    Jvm.Result result = Jvm.running(Program.class).run(rows, threads);
    System.out.println("ConcurrencyTest, rows " + rows + ": " + result.out());
    assertEquals("", result.err());
    assertEquals(0, result.exit());
  }

  /** Prints how many calls ended how. Exit code 1 if one was wrong, or nothing was tried. */
  static final class Program {
    /** Until each batch has had so many right answers it is not freed. */
    private static final int ANSWERS = 200;

    private static final AtomicLong RIGHT = new AtomicLong();
    private static final AtomicLong REFUSED = new AtomicLong();
    private static final AtomicReference<Throwable> WRONG = new AtomicReference<>();

    private static volatile Batch<?> current;
    private static volatile boolean done;

    public static void main(String[] args) throws InterruptedException {
      long rows = Long.parseLong(args[0]);
      int count = Integer.parseInt(args[1]);
      List<Thread> threads = new ArrayList<>();
      List<Backend> backends = Panorm.availableBackends();
      for (int i = 0; i < Use.ALL.size(); i++) {
        Batch<?> last = current;
        current = new Batch<>(Use.ALL.get(i), backends.get(i % backends.size()), rows);
        if (last != null) {
          last.free();
        } else {
          for (int thread = 0; thread < count; thread++) {
            threads.add(Thread.ofPlatform().start(Program::hammer));
          }
        }
        long enough = RIGHT.get() + ANSWERS;
        while (RIGHT.get() < enough && WRONG.get() == null) {
          Thread.sleep(1);
        }
      }
      done = true;
      current.free();
      for (Thread thread : threads) {
        thread.join();
      }
      System.out.println(RIGHT + " calls were right, " + REFUSED + " refused");
      if (WRONG.get() != null) {
        WRONG.get().printStackTrace();
      }
      System.exit(WRONG.get() == null && REFUSED.get() > 0 ? 0 : 1);
    }

    private static void hammer() {
      while (!done) {
        try {
          current.callOnce();
          RIGHT.incrementAndGet();
        } catch (Throwable e) {
          // The memory is gone, and may be this thread's already, which then seems to overlap.
          if (e instanceof IllegalStateException
              || e instanceof IllegalArgumentException && e.getMessage().contains("overlaps")) {
            REFUSED.incrementAndGet();
          } else {
            WRONG.compareAndSet(null, e);
          }
        }
      }
    }
  }

  /** An operator and its inputs, shared by all threads, in memory of its own. */
  private static final class Batch<N> {
    private final Arena arena = Arena.ofShared();
    private final Use<N> use;
    private final Memory shared;
    private final N operator;

    /** What the outputs are to be. */
    private final Memory expected;

    Batch(Use<N> use, Backend backend, long rows) {
      this.use = use;
      expected = new Memory(Backend.JAVA, rows, Arena.ofAuto(), null);
      use.on(expected).run();
      shared = new Memory(backend, rows, arena, null);
      operator = use.build().apply(shared);
      shared.parameters = shared.position();
      use.call().accept(operator, shared); // makes the inputs
    }

    void callOnce() {
      try (Arena own = Arena.ofConfined()) {
        Memory memory = new Memory(shared.backend, shared.rows, own, shared);
        use.call().accept(operator, memory);
        for (int i = 0; i < memory.tensors.size(); i++) {
          Tensors.assertSameBits(expected.tensors.get(shared.parameters + i), memory.tensors.get(i),
              use.name());
        }
      }
    }

    /** As soon as no call is under way; calls that come later are refused. */
    void free() {
      while (arena.scope().isAlive()) {
        try {
          arena.close();
        } catch (IllegalStateException e) {
          Thread.yield(); // a call is under way
        }
      }
    }
  }

  /** Operands in an arena, but for inputs that are shared. */
  private static final class Memory extends Operands {
    final List<Tensor> tensors = new ArrayList<>();

    /** So many operands are the operator's, which come first. */
    int parameters;

    private final Arena arena;
    private final Memory shared;

    /** @param shared whose inputs to use; null for none */
    Memory(Backend backend, long rows, Arena arena, Memory shared) {
      super(backend, DType.F32, rows, 300);
      this.arena = arena;
      this.shared = shared;
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      int number = shared == null ? index : shared.parameters + index;
      Tensor t = shared != null && !written
          ? shared.tensors.get(number)
          : Tensor.allocate(arena, type, rows, cols);
      tensors.add(t);
      return read && (written || shared == null) ? fill(t, number, 1) : t;
    }
  }
}
