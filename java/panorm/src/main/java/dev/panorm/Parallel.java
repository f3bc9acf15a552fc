package dev.panorm;

import dev.panorm.internal.BackwardCall;
import dev.panorm.internal.ForwardCall;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Runs a call in parts, on the calling thread and on others. The caller takes parts until none is
 * left, and then waits only for those that another thread has begun: threads that are busy, an
 * executor that is full or shut down cost speed, never the result.
 */
final class Parallel {
  /**
   * Fewer elements are not worth a thread: to wake one takes some ten microseconds, and the data
   * moves to the caches of another core.
   */
  private static final long PART_ELEMENTS = 1 << 18;

  /** Fewer are not worth one that is awake. */
  private static final long SPINNING_PART_ELEMENTS = 1 << 14;

  /** How long to wait for other threads without leaving the processor: longer than waking takes. */
  private static final long SPIN_NANOS = 50_000;

  /** Never started: memory that it may not touch is confined. */
  private static final Thread ANY_OTHER = Thread.ofPlatform()
      .inheritInheritableThreadLocals(false)
      .unstarted(() -> {});

  private final int parts;
  private final long partElements;

  /** Takes tasks on the calling thread until none is left, and has others do so meanwhile. */
  private final Consumer<Run> threads;

  Parallel(Executor executor, int parts) {
    this(executor, parts, PART_ELEMENTS);
  }

  Parallel(Executor executor, int parts, long partElements) {
    this(parts, partElements, run -> run.takeTasksWith(executor));
  }

  Parallel(SpinningThreads threads) {
    this(threads.count() + 1, SPINNING_PART_ELEMENTS, run -> threads.run(run::takeTasks));
  }

  private Parallel(int parts, long partElements, Consumer<Run> threads) {
    this.parts = parts;
    this.partElements = partElements;
    this.threads = threads;
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
      runAll(c.cut(parts));
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
    long parts = parts(c.elements() / 2); // each step has half of the work
    if (parts == 1) {
      c.run();
      return;
    }
    for (List<BackwardCall> step : c.cut(parts)) {
      runAll(step);
    }
  }

  private static void requireShared(String name, MemorySegment segment) {
    if (!segment.isAccessibleBy(ANY_OTHER)) {
      String bytes = segment.byteSize() + " bytes";
      Checks.accessible(segment, name, bytes);
      throw new IllegalArgumentException(name + " (" + bytes
          + ") is confined to one thread, but this norm runs on several: allocate it in a"
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
  void runAll(List<? extends Runnable> tasks) {
    Run run = new Run(tasks);
    try {
      threads.accept(run);
    } finally {
      run.await();
    }
  }

  private static final class Run {
    /** Null once all have ended: what an executor still has queued must not hold their memory. */
    private volatile List<? extends Runnable> tasks;

    /** 1 for the tasks that a thread has taken. */
    private final AtomicIntegerArray taken;
    private final CountDownLatch open;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Run(List<? extends Runnable> tasks) {
      this.tasks = tasks;
      this.taken = new AtomicIntegerArray(tasks.size());
      this.open = new CountDownLatch(tasks.size());
    }

    void takeTasksWith(Executor executor) {
      try {
        for (int i = 1; i < taken.length(); i++) {
          int first = i;
          executor.execute(() -> takeTasks(first));
        }
      } catch (RejectedExecutionException | OutOfMemoryError e) {
        // Full, or no thread is to be had. Those that there are, at least this one, take the rest.
      } finally {
        takeTasks(0);
      }
    }

    /** From the same task in each call: its data may still be in the caches of this core. */
    void takeTasks(int first) {
      List<? extends Runnable> tasks = this.tasks;
      for (int n = 0; tasks != null && n < tasks.size(); n++) {
        int i = (first + n) % tasks.size();
        if (!taken.compareAndSet(i, 0, 1)) {
          continue;
        }
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
      tasks = null;
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
