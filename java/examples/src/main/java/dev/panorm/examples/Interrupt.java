package dev.panorm.examples;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets Ctrl-C end the story between two tokens.
 *
 * <p>A shutdown hook asks the story to end and holds the shutdown until it has, so the JVM's own
 * exit code stays: 130 after Ctrl-C, 143 after SIGTERM.
 */
final class Interrupt implements AutoCloseable {
  /** Longer than any token takes, short enough when the reader of our output hangs. */
  private static final long PATIENCE_SECONDS = 5;

  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean requested;

  private Interrupt() {}

  /** One that is requested when the JVM shuts down. */
  static Interrupt onShutdown() {
    Interrupt interrupt = new Interrupt();
    Runtime.getRuntime().addShutdownHook(new Thread(interrupt::request, "end of story"));
    return interrupt;
  }

  /** One that never comes. */
  static Interrupt never() {
    return new Interrupt();
  }

  private void request() {
    requested = true;
    try {
      ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  boolean requested() {
    return requested;
  }

  /** Tells that the story has ended: nothing holds a shutdown any more. */
  @Override
  public void close() {
    ended.countDown();
  }
}
