package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/**
 * Threads call one side once every 20 microseconds, each on buffers of its own, while another thread
 * makes garbage. A program of its own: argument 0 is the side, 1 the seconds, 2 how many call.
 *
 * <p>Two times are taken: of the call, and of the response, from when the call was due until it
 * returned. A pause of the collector between two calls makes no call longer, but late all those that
 * were due meanwhile.
 */
final class LatencyProbe {
  static final int COLS = 1024;
  static final long INTERVAL_NANOS = 20_000;

  /** A hundredth of a second's garbage, in arrays of a thousand bytes, is made at once. */
  private static final int GARBAGE_ARRAYS = 10_000;
  private static final Duration GARBAGE_INTERVAL = Duration.ofMillis(10);

  /** So small that the collector has much to do. */
  static final String HEAP = "-Xmx512m";

  private static final double WARM_UP_SECONDS = 2;

  /**
   * One run.
   *
   * @param callers threads
   * @param call histogram of ns, {@link #encoded}; so response
   */
  record Outcome(String contender, int callers, long calls, String call, String response,
      long collections, long collectionMillis) {}

  private LatencyProbe() {}

  /** Runs, and prints the outcome. */
  public static void main(String[] args) throws InterruptedException {
    Contender who = Side.of(args[0], Operation.RMS_NORM, Format.F32).who();
    double seconds = Double.parseDouble(args[1]);
    int callers = Integer.parseInt(args[2]);
    Thread garbage = Thread.ofPlatform().daemon().start(LatencyProbe::makeGarbage);
    Histogram call = new Histogram(3);
    Histogram response = new Histogram(3);
    run(who, callers, WARM_UP_SECONDS, new Histogram(3), new Histogram(3));
    long[] before = collections();
    run(who, callers, seconds, call, response);
    long[] after = collections();
    garbage.interrupt();
    System.out.println(Child.line(new Outcome(args[0], callers, call.getTotalCount(), encoded(call),
        encoded(response), after[0] - before[0], after[1] - before[1])));
  }

  /** As text. */
  static String encoded(Histogram histogram) {
    ByteBuffer bytes = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
    int size = histogram.encodeIntoCompressedByteBuffer(bytes);
    return Base64.getEncoder().encodeToString(Arrays.copyOf(bytes.array(), size));
  }

  static Histogram decoded(String text) {
    try {
      return Histogram
          .decodeFromCompressedByteBuffer(ByteBuffer.wrap(Base64.getDecoder().decode(text)), 0);
    } catch (DataFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** With one core for the garbage, and with as many callers as disturb each other. */
  static List<Integer> callers() {
    return IntStream.of(Math.max(1, Runtime.getRuntime().availableProcessors() - 1), 2)
        .distinct()
        .boxed()
        .toList();
  }

  private static void run(Contender who, int callers, double seconds, Histogram call,
      Histogram response) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      threads.add(Thread.ofPlatform().start(() -> {
        Histogram myCall = new Histogram(3);
        Histogram myResponse = new Histogram(3);
        try (Arena arena = Arena.ofConfined()) {
          Problem problem = new Problem(Operation.RMS_NORM, Format.F32);
          time(Workload.of(problem, 1, COLS).solvedBy(who, arena).call(), seconds, myCall,
              myResponse);
        }
        synchronized (call) {
          call.add(myCall);
          response.add(myResponse);
        }
      }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void time(Runnable task, double seconds, Histogram call, Histogram response) {
    long due = System.nanoTime();
    long end = due + (long) (seconds * 1e9);
    while (due < end) {
      due += INTERVAL_NANOS;
      long start = System.nanoTime();
      while (start < due) {
        Thread.yield(); // The garbage maker and the collector need the processor too.
        start = System.nanoTime();
      }
      task.run();
      long done = System.nanoTime();
      call.recordValue(done - start);
      response.recordValue(done - due);
    }
  }

  /** A gigabyte a second; less where the processor is not there in time, which is not made up. */
  private static void makeGarbage() {
    Object[] live = new Object[20_000];
    int next = 0;
    long due = System.nanoTime();
    try {
      while (true) {
        for (int i = 0; i < GARBAGE_ARRAYS; i++) {
          live[next++ % live.length] = new byte[1000];
        }
        long now = System.nanoTime();
        due = Math.max(due + GARBAGE_INTERVAL.toNanos(), now);
        Thread.sleep(Duration.ofNanos(due - now));
      }
    } catch (InterruptedException e) {
      // Asked to stop.
    }
  }

  private static long[] collections() {
    long count = 0;
    long millis = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      count += collector.getCollectionCount();
      millis += collector.getCollectionTime();
    }
    return new long[] {count, millis};
  }
}
