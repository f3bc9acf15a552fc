package dev.panorm.examples;

import com.sun.management.ThreadMXBean;
import dev.panorm.Backend;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;

/** Measures time and heap allocation token by token, and shows them as a table. */
final class Stats {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final long[] nanos;
  private final long[] bytes;
  private int tokens;
  private long startNanos;
  private long startBytes;

  Stats(int mostTokens) {
    nanos = new long[mostTokens];
    bytes = new long[mostTokens];
  }

  void begin() {
    startBytes = THREADS.getCurrentThreadAllocatedBytes();
    startNanos = System.nanoTime();
  }

  void end() {
    nanos[tokens] = System.nanoTime() - startNanos;
    bytes[tokens] = THREADS.getCurrentThreadAllocatedBytes() - startBytes;
    tokens++;
  }

  /**
   * The measurements, one to a line, once there is a token. The first one allocates the most, as
   * classes are loaded and the native functions linked.
   *
   * @param summary how many tokens were read and written, in words
   * @param normNanos the part of the time that went into norms
   * @param backend what computed the norms
   */
  String table(String summary, long normNanos, Backend backend) {
    long total = Math.max(1, Arrays.stream(nanos, 0, tokens).sum());
    return row("tokens", "%s", summary) + row("speed", "%.0f tokens/s", tokens * 1e9 / total)
        + row("latency", "p50 %.3f ms, p99 %.3f ms per token", percentile(nanos, 50) / 1e6,
            percentile(nanos, 99) / 1e6)
        + row("norms", "%.2f %% of the time", 100.0 * normNanos / total)
        + row("backend", "%s", backend)
        + row("allocations", "p50 %d B, p99 %d B per token, the first %d B", percentile(bytes, 50),
            percentile(bytes, 99), bytes[0]);
  }

  private static String row(String name, String format, Object... values) {
    return String.format(Locale.ROOT, "%-13s", name) + String.format(Locale.ROOT, format, values)
        + "\n";
  }

  /** The least value that at least {@code percent} of all values do not exceed. */
  private long percentile(long[] values, int percent) {
    long[] sorted = Arrays.copyOf(values, tokens);
    Arrays.sort(sorted);
    return sorted[(tokens * percent + 99) / 100 - 1];
  }
}
