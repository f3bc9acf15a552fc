package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls on several threads; that their bits are those of one, {@link OperatorsTest} shows. */
@Timeout(60)
class ParallelTest {
  private static final int ROWS = 600;
  private static final int COLS = 2048;

  private final Arena arena = Arena.ofAuto();
  private final Tensor x = Tensors.normal(arena, ROWS, COLS, 1);
  private final Tensor y = Tensor.allocate(arena, DType.F32, ROWS, COLS);

  private static RmsNorm norm(Executor executor, int parts) {
    return RmsNorm.builder().parallel(executor, parts).build();
  }

  private void assertNormalized() {
    Tensor expected = Tensor.allocate(arena, DType.F32, ROWS, COLS);
    RmsNorm.builder().build().forward(x, expected);
    Tensors.assertSameBits(expected, y, "y");
  }

  @ParameterizedTest
  @MethodSource("dev.panorm.Panorm#availableBackends")
  void largeCallsAreDividedAndSmallOnesAreNot(Backend backend) {
    AtomicInteger handed = new AtomicInteger();
    Executor counting = task -> {
      handed.incrementAndGet();
      Thread.startVirtualThread(task);
    };
    RmsNorm norm = RmsNorm.builder().parallel(counting, 3).backend(backend).build();
    norm.forward(x, y);
    assertEquals(2, handed.get(), "parts but the caller's");
    assertNormalized();
    norm.forward(x.row(0), y.row(0));
    assertEquals(2, handed.get());
  }

  @Test
  void workThatTheExecutorRejectsIsDoneByTheCaller() {
    norm(task -> {
      throw new RejectedExecutionException();
    }, 4).forward(x, y);
    assertNormalized();
  }

  @Test
  void workThatTheExecutorRejectsLaterIsDoneByTheCaller() {
    AtomicInteger calls = new AtomicInteger();
    norm(task -> {
      if (calls.getAndIncrement() > 0) {
        throw new RejectedExecutionException();
      }
      Thread.startVirtualThread(task);
    }, 4).forward(x, y);
    assertNormalized();
  }

  /** What comes late finds nothing to do, and writes nothing. */
  @Test
  void anExecutorThatRunsNothingOrTooLate() {
    List<Runnable> kept = new ArrayList<>();
    norm(kept::add, 4).forward(x, y);
    assertNormalized();
    y.segment().fill((byte) 0);
    kept.forEach(Runnable::run);
    assertEquals(0, y.get(ROWS - 1, COLS - 1));
    assertEquals(3, kept.size());
  }

  @Test
  void workForWhichThereIsNoThreadIsDoneByTheCaller() {
    norm(task -> {
      throw new OutOfMemoryError("unable to create native thread");
    }, 4).forward(x, y);
    assertNormalized();
  }

  /** A busy executor keeps the tasks, not what they were to work on. */
  @Test
  void whatAnExecutorKeepsHoldsNoMemory() throws InterruptedException {
    List<Runnable> kept = new ArrayList<>();
    RmsNorm norm = norm(kept::add, 4);
    WeakReference<float[]> memory = normalizeAnArray(norm);
    while (memory.get() != null) { // or the time limit ends it
      System.gc();
      Thread.sleep(1);
    }
    assertEquals(3, kept.size());
  }

  private static WeakReference<float[]> normalizeAnArray(RmsNorm norm) {
    float[] array = new float[ROWS * COLS];
    Tensor t = Tensor.ofArray(array, 0, ROWS, COLS);
    norm.forward(t, t);
    return new WeakReference<>(array);
  }

  @Test
  void callsFromThreadsOfAFullPoolDoNotDeadlock() throws Exception {
    int threads = 2;
    CountDownLatch allBusy = new CountDownLatch(threads);
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      RmsNorm norm = norm(pool, 4);
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Tensor own = Tensor.allocate(arena, DType.F32, ROWS, COLS);
        calls.add(pool.submit(() -> {
          allBusy.countDown();
          allBusy.await();
          norm.forward(x, own);
          return null;
        }));
      }
      for (Future<?> call : calls) {
        call.get(30, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void whatAPartThrowsIsThrownWhenAllHaveEnded() {
    for (Throwable thrown : List.of(new IllegalStateException("part"), new StackOverflowError())) {
      List<Integer> ended = Collections.synchronizedList(new ArrayList<>());
      List<Runnable> tasks = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        int part = i;
        tasks.add(() -> {
          if (part == 1) {
            throw ParallelTest.<RuntimeException>sneaky(thrown);
          }
          ended.add(part);
        });
      }
      try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
        assertSame(thrown,
            assertThrows(Throwable.class, () -> new Parallel(pool, 5).runAll(tasks)));
        assertEquals(4, ended.size());
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> T sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }

  /** An executor that fails otherwise than by rejecting has begun parts, which must end first. */
  @Test
  void whatTheExecutorThrowsIsThrownWhenAllHaveEnded() {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger ended = new AtomicInteger();
    AtomicInteger calls = new AtomicInteger();
    IllegalStateException failure = new IllegalStateException("executor");
    Executor failing = task -> {
      if (calls.getAndIncrement() > 0) {
        throw failure;
      }
      Thread.startVirtualThread(task);
      await(begun);
    };
    Runnable slow = () -> {
      begun.countDown();
      pause();
      ended.incrementAndGet();
    };
    assertSame(failure, assertThrows(IllegalStateException.class,
        () -> new Parallel(failing, 3).runAll(List.of(slow, slow, slow))));
    assertEquals(3, ended.get());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anInterruptedCallerWaitsAndStaysInterrupted() {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger ended = new AtomicInteger();
    Thread caller = Thread.currentThread();
    Runnable quick = () -> {};
    Runnable slow = () -> {
      begun.countDown();
      pause();
      ended.incrementAndGet();
    };
    Executor interrupting = task -> {
      Thread.startVirtualThread(task);
      await(begun);
      caller.interrupt();
    };
    // The thread begins with the second task, the slow one, and the caller with the quick one.
    new Parallel(interrupting, 2).runAll(List.of(quick, slow));
    assertEquals(1, ended.get());
    assertTrue(Thread.interrupted());
  }

  @Test
  void confinedMemoryIsRefused() {
    try (Arena confined = Arena.ofConfined()) {
      Tensor own = Tensor.allocate(confined, DType.F32, ROWS, COLS);
      Tensor statistic = Tensor.allocate(confined, DType.F32, ROWS, 1);
      Tensor shared = Tensor.allocate(arena, DType.F32, ROWS, 1);
      RmsNorm norm = norm(Runnable::run, 2);
      assertRefused("x", () -> norm.forward(own, y));
      assertRefused("y", () -> norm.forward(x, own));
      assertRefused("residual", () -> norm.addForward(x, own, y));
      assertRefused("statistic", () -> norm.forward(x, y, statistic));
      assertRefused("dy", () -> norm.backward(own, x, shared, y, null));
      assertRefused("dx", () -> norm.backward(x, x, shared, own, null));
      assertRefused("statistic", () -> norm.backward(x, x, statistic, y, null));
    }
  }

  private void assertRefused(String name, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(message.contains(name) && message.contains("confined"), message);
    assertEquals(0, y.get(0, 0));
  }

  @Test
  void closedArena() {
    Tensor closed;
    try (Arena shared = Arena.ofShared()) {
      closed = Tensor.allocate(shared, DType.F32, ROWS, COLS);
    }
    RmsNorm norm = norm(Runnable::run, 2);
    assertThrows(IllegalStateException.class, () -> norm.addForward(x, y, closed));
    assertThrows(IllegalStateException.class, () -> norm.addForward(closed, x, y));
    assertEquals(0, y.get(0, 0));
  }
}
