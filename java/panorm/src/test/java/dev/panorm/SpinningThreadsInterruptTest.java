package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** By the CPU time that a thread takes; a program tries it in a JVM of its own. */
class SpinningThreadsInterruptTest {
  @Test
  void anInterruptedThreadSleepsAgain() {
    Jvm.Result result = Jvm.running(Program.class).run();
    assertEquals("sleeps", result.out(), result.err());
  }

  static final class Program {
    /** Of 20 ms each: more than a thread that has work waits for a processor. */
    private static final int QUIET_PERIODS = 10;

    private static final int MOST_PERIODS = 1500;

    public static void main(String[] args) throws InterruptedException {
      ThreadMXBean cpu = ManagementFactory.getThreadMXBean();
      try (SpinningThreads threads = new SpinningThreads(1, Duration.ZERO)) {
        Thread worker = worker(threads);
        worker.interrupt();
        long used = -1;
        int quiet = 0;
        for (int i = 0; i < MOST_PERIODS && quiet < QUIET_PERIODS; i++) {
          Thread.sleep(20);
          long now = cpu.getThreadCpuTime(worker.threadId());
          quiet = now == used ? quiet + 1 : 0;
          used = now;
        }
        System.out.print(quiet == QUIET_PERIODS && worker.isAlive() ? "sleeps" : "does not sleep");
      }
    }

    private static Thread worker(SpinningThreads threads) {
      CompletableFuture<Thread> worker = new CompletableFuture<>();
      threads.run(number -> {
        if (number > 0) {
          worker.complete(Thread.currentThread());
        }
        worker.join(); // the caller's turn must not end before
      });
      return worker.join();
    }
  }
}
