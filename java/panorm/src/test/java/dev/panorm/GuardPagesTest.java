package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * No kernel reads or writes a byte outside of its rows: every row of every tensor ends where memory
 * ends, or begins where it begins. A program does it in a JVM of its own, which would crash.
 */
@EnabledOnOs(OS.LINUX)
class GuardPagesTest {
  @Test
  void nothingOutsideOfRowsIsTouched() {
    Jvm.Result result = Jvm.running(Program.class).option("-XX:+SuppressFatalErrorMessage").run();
    System.out.println("GuardPagesTest: " + result.out().lines().reduce((a, b) -> b).orElse(""));
    assertEquals(0, result.exit(), "at last: " + result.out() + result.err());
  }

  /** That the test above can fail: a kernel is given rows of which the last is too long. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void touchingOneElementMoreCrashes(int rows) {
    Jvm.Result result = Jvm.running(Program.class)
        .option("-XX:-CreateCoredumpOnCrash")
        .option("-XX:+ErrorFileToStdout")
        .run(String.valueOf(rows));
    assertNotEquals(0, result.exit(), result.out());
    assertTrue(result.out().contains("# Problematic frame:\n# C  [libpanorm"), result.out());
    assertEquals("", result.err());
  }

  /** Calls everything; prints what before each, and at the end how much. */
  static final class Program {
    private static final int MOST_ROWS = 3;
    private static final int[] LONG = {127, 128, 129, 191, 192, 193, 255, 256, 257, 511, 512, 513,
      1000, 1023, 1024, 1025, 2047, 2049};

    public static void main(String[] args) {
      Jvm.passFirstRows(); // which are copied, to where nothing guards them
      if (args.length > 0) {
        readOneElementTooMuch(Integer.parseInt(args[0]));
        return;
      }
      List<Integer> widths = new ArrayList<>();
      for (int cols = 1; cols <= 80; cols++) {
        widths.add(cols);
      }
      for (int cols : LONG) {
        widths.add(cols);
      }
      GuardedMemory memory = new GuardedMemory(10);
      long calls = 0;
      for (Backend backend : KernelId.nativeBackends()) {
        for (Use<?> use : Use.ALL) {
          System.out.println(use.name() + " on " + backend);
          for (DType type : use.types()) {
            for (int cols : widths) {
              for (boolean end : new boolean[] {true, false}) {
                use.on(new Guarded(memory, backend, type, 1, cols, end, false)).run();
                use.on(new Guarded(memory, backend, type, MOST_ROWS, cols, end, true)).run();
                calls += 2;
                if (cols * MOST_ROWS * type.byteSize() <= memory.rowBytes) {
                  use.on(new Guarded(memory, backend, type, MOST_ROWS, cols, end, false)).run();
                  calls++;
                }
              }
            }
          }
        }
      }
      System.out.println(calls + " calls between guard pages on " + KernelId.nativeBackends());
    }

    private static void readOneElementTooMuch(int rows) {
      GuardedMemory memory = new GuardedMemory(1);
      int elements = rows * 17;
      MemorySegment x = memory.place(0, (elements - 1) * 4, true).reinterpret(elements * 4);
      Tensor y = Tensor.allocate(Arena.ofAuto(), DType.F32, rows, 17);
      RmsNorm.builder().build().forward(Tensor.ofSegment(x, DType.F32, rows, 17), y);
      System.out.println("survived");
    }
  }

  /** Tensors for which a row ends, or begins, at a guard page. */
  private static final class Guarded extends Operands {
    private final GuardedMemory memory;
    private final boolean end;
    private final boolean apart;

    /** @param apart a guard page between any two rows also, not only around the tensor */
    Guarded(GuardedMemory memory, Backend backend, DType type, long rows, long cols, boolean end,
        boolean apart) {
      super(backend, type, rows, cols);
      this.memory = memory;
      this.end = end;
      this.apart = apart;
    }

    @Override
    Tensor make(int index, DType type, long rows, long cols, boolean read, boolean written) {
      boolean strided = apart && rows > 1 && cols > 1;
      long rowBytes = cols * type.byteSize();
      long stride = strided ? memory.pitch / type.byteSize() : cols;
      MemorySegment first = memory.place(index, strided ? rowBytes : rows * rowBytes, end);
      MemorySegment all = first.reinterpret(((rows - 1) * stride + cols) * type.byteSize());
      // Some rows such that they are computed in f64.
      double scale = cols % 5 == 0 ? 0x1p100 : 1;
      Tensor t = Tensor.ofSegment(all, type, rows, cols, stride);
      return read ? fill(t, index, scale) : t;
    }
  }

  /** Slots of rows, each row between two guard pages. */
  private static final class GuardedMemory {
    private static final int PAGES = 5;
    private static final int PROT_NONE = 0;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

    final long rowBytes;
    final long pitch;
    private final MemorySegment all;

    GuardedMemory(int slots) {
      try {
        Linker linker = Linker.nativeLinker();
        var libc = linker.defaultLookup();
        var mmap = linker.downcallHandle(libc.findOrThrow("mmap"),
            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
        var mprotect = linker.downcallHandle(libc.findOrThrow("mprotect"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
        var getpagesize = linker.downcallHandle(libc.findOrThrow("getpagesize"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT));
        long page = (int) getpagesize.invokeExact();
        rowBytes = PAGES * page;
        pitch = rowBytes + page;
        long rows = (long) slots * Program.MOST_ROWS;
        long size = page + rows * pitch;
        MemorySegment mapped = (MemorySegment) mmap.invokeExact(MemorySegment.NULL, size, PROT_NONE,
            MAP_PRIVATE_ANONYMOUS, -1, 0L);
        if (mapped.address() == -1) {
          throw new OutOfMemoryError("mmap of " + size + " bytes");
        }
        all = mapped.reinterpret(size).asSlice(page);
        for (long row = 0; row < rows; row++) {
          int status = (int) mprotect.invokeExact(all.asSlice(row * pitch), rowBytes,
              PROT_READ_WRITE);
          if (status != 0) {
            throw new IllegalStateException("mprotect failed");
          }
        }
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    /** So many bytes at the end, or at the start, of the first row of a slot. */
    MemorySegment place(int slot, long bytes, boolean end) {
      long start = slot * Program.MOST_ROWS * pitch;
      return all.asSlice(start + (end ? rowBytes - bytes : 0), bytes);
    }
  }
}
