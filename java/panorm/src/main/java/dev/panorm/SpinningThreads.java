package dev.panorm;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Threads for the builders' {@link RmsNorm.Builder#parallel(SpinningThreads) parallel}. Between
 * calls they keep their processors busy for a while, and only then sleep: one that does not sleep
 * begins its part of a call within a microsecond, to wake one takes some ten. So there should not be
 * more of them than processors that have nothing else to do.
 *
 * <p>Any number of norms and calling threads may share them. They work at one call at a time: a call
 * that comes meanwhile runs on its own thread alone, as do all after {@link #close}. They are
 * daemons.
 */
public final class SpinningThreads implements AutoCloseable {
  private final Worker[] workers;
  private final long spinNanos;

  /** What all take part in; null between calls. */
  private final AtomicReference<IntConsumer> work = new AtomicReference<>();

  private volatile boolean closed;

  /**
   * Starts threads.
   *
   * @param count how many; with the calling thread, a call runs on one more
   * @param spin how long each waits for the next call before it sleeps
   * @throws IllegalArgumentException if count is less than 1 or spin is negative
   */
  public SpinningThreads(int count, Duration spin) {
    Objects.requireNonNull(spin, "spin");
    Checks.require(count >= 1, "count is %s, less than 1", count);
    Checks.require(!spin.isNegative(), "spin is %s, negative", spin);
    spinNanos = TimeUnit.NANOSECONDS.convert(spin); // at most 292 years
    workers = new Worker[count];
    for (int i = 0; i < count; i++) {
      workers[i] = new Worker(i + 1);
    }
    try {
      for (Worker worker : workers) {
        worker.start();
      }
    } catch (Throwable e) { // no more threads are to be had: nobody could close those there are
      close();
      throw e;
    }
  }

  /** How many threads there are. */
  public int count() {
    return workers.length;
  }

  /**
   * Has this thread accept 0, and returns then; meanwhile each of the others accepts its own number
   * from 1 on, unless they are at another call or closed.
   *
   * @param work must not throw, and be another object in each call
   */
  void run(IntConsumer work) {
    boolean together = !closed && this.work.compareAndSet(null, work);
    if (!together) {
      work.accept(0);
      return;
    }
    try {
      for (Worker worker : workers) {
        worker.wake();
      }
      work.accept(0);
    } finally {
      this.work.set(null);
    }
  }

  /** Lets the threads end, after what they are at. */
  @Override
  public void close() {
    closed = true;
    for (Worker worker : workers) {
      worker.wake();
    }
  }

  private final class Worker extends Thread {
    private final int number;
    private volatile boolean asleep;

    Worker(int number) {
      super(null, null, "panorm-" + number, 0, false);
      this.number = number;
      setDaemon(true);
    }

    void wake() {
      if (asleep) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      IntConsumer last = null;
      long idleSince = System.nanoTime();
      while (!closed) {
        IntConsumer next = work.get();
        if (next != last) {
          last = next;
          if (next != null) {
            next.accept(number);
            idleSince = System.nanoTime();
          }
        } else if (System.nanoTime() - idleSince < spinNanos) {
          Thread.onSpinWait();
        } else {
          asleep = true;
          // Whoever has work looks after that whom to wake.
          if (work.get() == last && !closed) {
            LockSupport.park(SpinningThreads.this);
            Thread.interrupted(); // while a thread is interrupted it does not sleep
          }
          asleep = false;
        }
      }
    }
  }
}
