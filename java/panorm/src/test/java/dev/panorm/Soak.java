package dev.panorm;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * A program that uses everything at random for some minutes, and prints how much memory the process
 * has and how many files are open, each ten seconds; on Linux. Exit code 1 unless both stay flat:
 * after the first fifth of the time, memory grows by no more than 5 %, files by none.
 */
final class Soak {
  private static final long REPORT_NANOS = 10_000_000_000L;

  private final SplittableRandom random = new SplittableRandom(1);
  private long calls;
  private long refused;

  public static void main(String[] args) throws IOException {
    double minutes = args.length == 0 ? 60 : Double.parseDouble(args[0]);
    System.exit(new Soak().run((long) (minutes * 60e9)) ? 0 : 1);
  }

  private boolean run(long nanos) throws IOException {
    long start = System.nanoTime();
    long report = start;
    long mostEarly = 0;
    long most = 0;
    long filesEarly = 0;
    long filesMost = 0;
    while (System.nanoTime() - start < nanos) {
      step();
      if (System.nanoTime() - report >= 0) {
        report += REPORT_NANOS;
        long memory = residentKilobytes();
        long files = openFiles();
        boolean early = System.nanoTime() - start < nanos / 5;
        mostEarly = early ? Math.max(mostEarly, memory) : mostEarly;
        filesEarly = early ? Math.max(filesEarly, files) : filesEarly;
        most = Math.max(most, memory);
        filesMost = Math.max(filesMost, files);
        System.out.printf("%5d s  %,12d calls  %,10d refused  %,9d KB resident  %3d files%n",
            (System.nanoTime() - start) / 1_000_000_000L, calls, refused, memory, files);
      }
    }
    boolean flat = most <= mostEarly * 1.05 && filesMost <= filesEarly;
    System.out.printf("%s: resident at most %,d KB, in the first fifth %,d KB; files %d, %d%n",
        flat ? "flat" : "NOT FLAT", most, mostEarly, filesMost, filesEarly);
    return flat;
  }

  /** A new operator on new memory, some calls, and one after the memory has gone. */
  private void step() {
    Use<?> use = Use.ALL.get(random.nextInt(Use.ALL.size()));
    DType[] types = use.types().toArray(DType[]::new);
    Backend backend = Panorm.availableBackends()
        .get(random.nextInt(Panorm.availableBackends().size()));
    Runnable call;
    Arena arena = random.nextBoolean() ? Arena.ofConfined() : Arena.ofShared();
    try (arena) {
      call = use.on(new Memory(backend, types[random.nextInt(types.length)], 1 + random.nextInt(8),
          1 + random.nextInt(700), arena, random.nextInt(4) == 0));
      for (int i = 0; i < 20; i++) {
        call.run();
        calls++;
      }
    }
    try {
      call.run(); // on the heap it works
    } catch (IllegalStateException e) {
      refused++;
    }
  }

  private static final class Memory extends Operands {
    private final Arena arena;
    private final boolean heap;

    Memory(Backend backend, DType type, long rows, long cols, Arena arena, boolean heap) {
      super(backend, type, rows, cols);
      this.arena = arena;
      this.heap = heap;
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      int bytes = (int) (rows * cols * type.byteSize());
      Tensor t = heap
          ? Tensor.ofSegment(MemorySegment.ofArray(new long[bytes / 8 + 1]), type, rows, cols)
          : Tensor.allocate(arena, type, rows, cols);
      return read ? fill(t, index, 1) : t;
    }
  }

  private static long residentKilobytes() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      String line = lines.filter(l -> l.startsWith("VmRSS:")).findFirst().orElseThrow();
      return Long.parseLong(line.replaceAll("\\D", ""));
    }
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }
}
