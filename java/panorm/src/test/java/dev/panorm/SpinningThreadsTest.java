package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SpinningThreadsTest {
  static {
    // Threads' processor time is there, which the library does not read.
    SpinningThreadsTest.class.getModule()
        .addReads(ModuleLayer.boot().findModule("java.management").orElseThrow());
  }

  /** Two parts of it are the least that is divided. */
  private static final int COLS = 1 << 14;

  private final Arena arena = Arena.ofAuto();

  /** The threads that ran these many tasks, by task; each waits until all have begun. */
  private static List<Thread> together(Parallel parallel, int tasks) {
    CyclicBarrier begun = new CyclicBarrier(tasks);
    Thread[] threads = new Thread[tasks];
    List<Runnable> all = new ArrayList<>();
    for (int i = 0; i < tasks; i++) {
      int task = i;
      all.add(() -> {
        threads[task] = Thread.currentThread();
        try {
          begun.await(30, TimeUnit.SECONDS);
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
    }
    parallel.runAll(all);
    return List.of(threads);
  }

  static List<Thread> workers(SpinningThreads threads) {
    List<Thread> all = new ArrayList<>(together(new Parallel(threads), threads.count() + 1));
    all.remove(Thread.currentThread());
    return all;
  }

  static long processorNanos(Thread thread) {
    return ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.threadId());
  }

  /** The same as soon as it sleeps: a thread waits for nothing else. */
  static long processorNanosAsleep(Thread thread) throws InterruptedException {
    while (thread.getState() != Thread.State.WAITING) { // or the time limit ends it
      Thread.sleep(1);
    }
    return processorNanos(thread);
  }

  /** For as long as they are told, and no longer. */
  @ParameterizedTest
  @ValueSource(longs = {0, 5})
  void theySleep(long spinMillis) throws InterruptedException {
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ofMillis(spinMillis))) {
      Thread worker = workers(threads).getFirst();
      long before = processorNanosAsleep(worker);
      Thread.sleep(300);
      // Nothing but the last step to sleep; if it span it would be 300 ms, or 100 beside others.
      assertTrue(processorNanos(worker) - before < 10_000_000);
    }
  }

  @Test
  void anInterruptedOneSleepsAgain() throws InterruptedException {
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ZERO)) {
      Thread worker = workers(threads).getFirst();
      processorNanosAsleep(worker);
      worker.interrupt();
      while (worker.isInterrupted()) { // or the time limit ends it
        Thread.sleep(1);
      }
      long before = processorNanosAsleep(worker);
      Thread.sleep(300);
      assertTrue(processorNanos(worker) - before < 10_000_000); // as in theySleep()
    }
  }

  @Test
  void theySpin() throws InterruptedException {
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ofSeconds(30))) {
      Thread worker = workers(threads).getFirst();
      long before = processorNanos(worker);
      // To fall asleep takes less than a millisecond; to spin for so long takes however long it
      // waits for a processor.
      while (processorNanos(worker) - before < 100_000_000) {
        assertNotEquals(Thread.State.WAITING, worker.getState());
        Thread.sleep(1);
      }
    }
  }

  /** Whether they spin or sleep when the next call comes. */
  @ParameterizedTest
  @ValueSource(longs = {0, 5, 10_000})
  void allTakePart(long spinMillis) throws InterruptedException {
    try (SpinningThreads threads = new SpinningThreads(3, Duration.ofMillis(spinMillis))) {
      Parallel parallel = new Parallel(threads);
      Set<Thread> first = Set.copyOf(together(parallel, 4));
      assertEquals(4, first.size());
      for (int i = 0; i < 200; i++) {
        assertEquals(first, Set.copyOf(together(parallel, 4)));
        if (i % 50 == 0) {
          Thread.sleep(10);
        }
      }
    }
  }

  @Test
  void eachBeginsWithTheSamePart() {
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ofSeconds(10))) {
      Parallel parallel = new Parallel(threads);
      for (int i = 0; i < 1000; i++) {
        assertSame(Thread.currentThread(), together(parallel, 2).getFirst());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bitsAreThoseOfOneThread(boolean closed) {
    SpinningThreads threads = new SpinningThreads(2, Duration.ofMillis(1));
    try (threads) {
      RmsNorm norm = RmsNorm.builder().parallel(threads).build();
      if (closed) {
        threads.close();
      }
      for (int rows : new int[] {1, 2, 7, 50}) {
        Tensor x = Tensors.normal(arena, rows, COLS, 1);
        Tensor y = Tensor.allocate(arena, DType.F32, rows, COLS);
        Tensor expected = Tensor.allocate(arena, DType.F32, rows, COLS);
        norm.forward(x, y);
        RmsNorm.builder().build().forward(x, expected);
        Tensors.assertSameBits(expected, y, rows + " rows");
      }
    }
  }

  @Test
  void manyCallers() throws Exception {
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ofMillis(1));
        var callers = Executors.newFixedThreadPool(3)) {
      RmsNorm norm = RmsNorm.builder().parallel(threads).build();
      List<Future<?>> calls = new ArrayList<>();
      for (int caller = 0; caller < 3; caller++) {
        int seed = caller;
        calls.add(callers.submit(() -> {
          Tensor x = Tensors.normal(arena, 4, COLS, seed);
          Tensor expected = Tensor.allocate(arena, DType.F32, 4, COLS);
          RmsNorm.builder().build().forward(x, expected);
          for (int i = 0; i < 500; i++) {
            Tensor y = Tensor.allocate(arena, DType.F32, 4, COLS);
            norm.forward(x, y);
            Tensors.assertSameBits(expected, y, "call " + i);
          }
        }));
      }
      for (Future<?> call : calls) {
        call.get();
      }
    }
  }

  @Test
  void theyEndWhenClosed() throws InterruptedException {
    for (long spinMillis : new long[] {0, 60_000}) {
      List<Thread> ran;
      try (SpinningThreads threads = new SpinningThreads(2, Duration.ofMillis(spinMillis))) {
        assertEquals(2, threads.count());
        ran = together(new Parallel(threads), 3);
      }
      for (Thread thread : ran) {
        if (thread != Thread.currentThread()) {
          assertTrue(thread.join(Duration.ofSeconds(30)), thread + " is still alive");
        }
      }
    }
  }
}
