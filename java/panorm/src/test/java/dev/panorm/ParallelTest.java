package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls on several threads; that their bits are those of one, {@link OperatorsTest} shows. */
@Timeout(60)
class ParallelTest {
  private static final int ROWS = 600;
  private static final int COLS = 2048;
  private static final byte PATTERN = 0x3f;

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
  void largeCallsAreDivided(Backend backend) {
    AtomicInteger handed = new AtomicInteger();
    RmsNorm.builder().parallel(counting(handed), 3).backend(backend).build().forward(x, y);
    assertEquals(2, handed.get(), "parts but the caller's");
    assertNormalized();
  }

  private static Executor counting(AtomicInteger handed) {
    return task -> {
      handed.incrementAndGet();
      Thread.startVirtualThread(task);
    };
  }

  /** From where a call is divided {@link NormBuilder#parallel(Executor, int)} says. */
  @Test
  void smallCallsAreNotDivided() {
    AtomicInteger handed = new AtomicInteger();
    RmsNorm norm = norm(counting(handed), 8);
    forward(norm, (1 << 19) - 1);
    assertEquals(0, handed.get());
    forward(norm, 1 << 19);
    assertEquals(1, handed.get());
    backward(norm, (1 << 20) - 1);
    assertEquals(1, handed.get());
    backward(norm, 1 << 20);
    assertEquals(2, handed.get());
  }

  /**
   * The same of {@link NormBuilder#parallel(SpinningThreads)}. Nothing tells who took part in a call,
   * but a thread that sleeps takes no processor time until it is woken.
   */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC}) // elsewhere what waking takes is less than the clock's step
  void smallCallsWakeNoSpinningThread() throws InterruptedException {
    try (SpinningThreads threads = new SpinningThreads(1, Duration.ZERO)) {
      Thread worker = SpinningThreadsTest.workers(threads).getFirst();
      RmsNorm norm = RmsNorm.builder().parallel(threads).build();
      assertLeavesAsleep(worker, () -> forward(norm, (1 << 15) - 1));
      assertWakes(worker, () -> forward(norm, 1 << 15));
      assertLeavesAsleep(worker, () -> backward(norm, (1 << 16) - 1));
      assertWakes(worker, () -> backward(norm, 1 << 16));
    }
  }

  private static void assertWakes(Thread sleeper, Runnable call) throws InterruptedException {
    long before = SpinningThreadsTest.processorNanosAsleep(sleeper);
    call.run();
    while (SpinningThreadsTest.processorNanos(sleeper) == before) { // or the time limit ends it
      Thread.sleep(1);
    }
  }

  private static void assertLeavesAsleep(Thread sleeper, Runnable call)
      throws InterruptedException {
    // Once is enough: a thread may wake by itself, or be still on its way to sleep.
    for (int i = 0; i < 10; i++) {
      long before = SpinningThreadsTest.processorNanosAsleep(sleeper);
      call.run();
      Thread.sleep(50); // waking takes some ten microseconds where a processor is free
      if (SpinningThreadsTest.processorNanos(sleeper) == before) {
        return;
      }
    }
    fail("each of the calls woke " + sleeper);
  }

  /** In rows of one element, of which there may be any number. */
  private void forward(RmsNorm norm, long elements) {
    Tensor in = Tensor.allocate(arena, DType.F32, elements, 1);
    norm.forward(in, in);
  }

  private void backward(RmsNorm norm, long elements) {
    Tensor in = Tensor.allocate(arena, DType.F32, elements, 1);
    norm.backward(in, in, in, Tensor.allocate(arena, DType.F32, elements, 1), null);
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

  /** The tensors of a call, one of them in an arena of its own. */
  private record Call(String name, Arena its, Arena others, Map<String, Tensor> tensors) {
    private Tensor tensor(String tensor, long rows, long cols) {
      return tensors.computeIfAbsent(tensor, t -> {
        Tensor made = Tensor.allocate(t.equals(name) ? its : others, DType.F32, rows, cols);
        made.segment().fill(PATTERN);
        return made;
      });
    }

    private Tensor matrix(String tensor) {
      return tensor(tensor, ROWS, COLS);
    }

    private Tensor row(String tensor) {
      return tensor(tensor, 1, COLS);
    }

    private Tensor statistic(String tensor) {
      return tensor(tensor, ROWS, 1);
    }

    private LayerNorm norm() {
      return LayerNorm.builder(row("gain")).bias(row("bias")).parallel(Runnable::run, 2).build();
    }

    void forward() {
      norm().addForward(matrix("x"), matrix("residual"), matrix("y"), statistic("first statistic"),
          statistic("second statistic"));
    }

    void backward() {
      norm().backward(matrix("dy"), matrix("x"), statistic("first statistic"),
          statistic("second statistic"), matrix("dx"), row("dGain"), row("dBias"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "residual", "gain", "bias", "y", "first statistic",
    "second statistic"})
  void forwardRefusesConfinedMemory(String name) {
    refusesConfined(name, Call::forward);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dy", "x", "gain", "first statistic", "second statistic", "dx", "dGain",
    "dBias"})
  void backwardRefusesConfinedMemory(String name) {
    refusesConfined(name, Call::backward);
  }

  /** Confined to the calling thread, or to another: nothing is written. */
  private static void refusesConfined(String name, Consumer<Call> method) {
    try (Arena shared = Arena.ofShared(); Arena confined = Arena.ofConfined()) {
      Call call = new Call(name, confined, shared, new HashMap<>());
      String message = assertThrows(IllegalArgumentException.class, () -> method.accept(call))
          .getMessage();
      assertTrue(message.contains(name) && message.contains("confined to one thread"), message);
      assertInstanceOf(WrongThreadException.class, assertThrows(CompletionException.class,
          () -> CompletableFuture.runAsync(() -> method.accept(call)).join()).getCause());
      MemorySegment pattern = shared.allocate(4 * ROWS * COLS).fill(PATTERN);
      call.tensors.forEach((other, t) -> assertEquals(-1,
          t.segment().mismatch(pattern.asSlice(0, t.segment().byteSize())),
          other + " was written"));
    }
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
