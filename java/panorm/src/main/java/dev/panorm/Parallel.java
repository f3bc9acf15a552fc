package dev.panorm;

import dev.panorm.internal.BackwardCall;
import dev.panorm.internal.ForwardCall;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs a call in parts, on an executor and on the calling thread. The caller takes parts until none
 * is left, and then waits only for those that another thread has begun: an executor that is busy,
 * full or shut down costs speed, never the result.
 */
final class Parallel {
  /**
   * Fewer elements are not worth a thread: to wake one takes some ten microseconds, and the data
   * moves to the caches of another core.
   */
  private static final long PART_ELEMENTS = 1 << 18;

  /** How long to wait for other threads without leaving the processor: longer than waking takes. */
  private static final long SPIN_NANOS = 50_000;

  /** Never started: memory that it may not touch is confined. */
  private static final Thread ANY_OTHER = Thread.ofPlatform()
      .inheritInheritableThreadLocals(false)
      .unstarted(() -> {});

  private final Executor executor;
  private final int parts;
  private final long partElements;

  Parallel(Executor executor, int parts) {
    this(executor, parts, PART_ELEMENTS);
  }

  Parallel(Executor executor, int parts, long partElements) {
    this.executor = executor;
    this.parts = parts;
    this.partElements = partElements;
  }

  void run(ForwardCall c) {
    requireShared("x", c.x());
    requireShared("residual, gate or variance", c.aux());
    requireShared("gain", c.gain());
    requireShared("bias", c.bias());
    requireShared("y", c.y());
    requireShared("first statistic", c.stat0());
    requireShared("second statistic or scale", c.stat1());
    long parts = parts(c.elements());
    if (parts == 1) {
      c.run();
    } else {
      runAll(c.cut(parts).stream().<Runnable>map(part -> part::run).toList());
    }
  }

  void run(BackwardCall c) {
    requireShared("dy", c.dy());
    requireShared("x", c.x());
    requireShared("gain", c.gain());
    requireShared("first statistic", c.stat0());
    requireShared("second statistic", c.stat1());
    requireShared("dx", c.dx());
    requireShared("dGain", c.dGain());
    requireShared("dBias", c.dBias());
    long parts = parts(c.elements());
    if (parts == 1) {
      c.run();
      return;
    }
    for (List<BackwardCall> step : c.cut(parts)) {
      runAll(step.stream().<Runnable>map(part -> part::run).toList());
    }
  }

  private static void requireShared(String name, MemorySegment segment) {
    if (!segment.isAccessibleBy(ANY_OTHER)) {
      throw new IllegalArgumentException(name + " (" + segment.byteSize()
          + " bytes) is confined to one thread, but this norm runs on several: allocate it in a"
          + " shared arena");
    }
  }

  private long parts(long elements) {
    return Math.clamp(elements / partElements, 1, parts);
  }

  /**
   * Runs all tasks, and returns when all have ended.
   *
   * @throws RuntimeException or Error: what the first failed task has thrown
   */
  void runAll(List<Runnable> tasks) {
    Run run = new Run(tasks);
    try {
      for (int i = 1; i < tasks.size(); i++) {
        executor.execute(run::takeTasks);
      }
    } catch (RejectedExecutionException e) {
      // The threads that there are, at least this one, take the rest.
    } finally {
      run.takeTasks();
      run.await();
    }
  }

  private static final class Run {
    private final List<Runnable> tasks;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch open;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Run(List<Runnable> tasks) {
      this.tasks = tasks;
      this.open = new CountDownLatch(tasks.size());
    }

    void takeTasks() {
      for (int i; (i = next.getAndIncrement()) < tasks.size();) {
        try {
          tasks.get(i).run();
        } catch (Throwable e) {
          failure.compareAndSet(null, e);
        } finally {
          open.countDown();
        }
      }
    }

    void await() {
      long end = System.nanoTime() + SPIN_NANOS;
      while (open.getCount() > 0 && System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      boolean interrupted = false;
      while (true) {
        try {
          open.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true; // the others are still at work in the caller's memory
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      switch (failure.get()) {
        case null -> {
        }
        case Error e -> throw e;
        case RuntimeException e -> throw e;
        default -> throw new AssertionError(failure.get());
      }
    }
  }
}
