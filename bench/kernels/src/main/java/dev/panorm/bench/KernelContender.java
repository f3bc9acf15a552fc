package dev.panorm.bench;

import dev.panorm.Backend;
import dev.panorm.Panorm;
import dev.panorm.internal.gen.PanormNative;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * The library's RMSNorm kernel without the public API: its address called through a handle, or by a
 * loop in C. Steps of what a call costs. One row has a kernel of its own.
 */
record KernelContender(String name, boolean loop) implements Contender {
  /** Enough that the one call into C costs nothing. */
  private static final int LOOP = 1024;

  private static final class Handle {
    static final MethodHandle ROW = link(PanormNative.panorm_forward_row$descriptor());
    static final MethodHandle ROWS = link(PanormNative.panorm_forward$descriptor());

    /** What the library exports takes the kernel first; the kernel itself does not. */
    private static MethodHandle link(FunctionDescriptor exported) {
      FunctionDescriptor kernel = FunctionDescriptor.of(exported.returnLayout().orElseThrow(),
          exported.argumentLayouts().stream().skip(1).toArray(MemoryLayout[]::new));
      return Linker.nativeLinker().downcallHandle(kernel, Linker.Option.critical(false));
    }
  }

  /** CMake builds it beside this module's classes. */
  private static final class Loop {
    static final MethodHandle HANDLE = Linker.nativeLinker()
        .downcallHandle(
            SymbolLookup.libraryLookup(library(), Arena.global()).findOrThrow("panorm_bench_loop"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_DOUBLE, ValueLayout.JAVA_INT));

    private static Path library() {
      return Folders.target().resolve("cmake").resolve(System.mapLibraryName("loop"));
    }
  }

  @Override
  public boolean solves(Problem problem) {
    return problem.equals(new Problem(Operation.RMS_NORM, Format.F32));
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    Memory<MemorySegment> memory = Memory.segments();
    MemorySegment x = memory.of(arena, w.data().x());
    MemorySegment gain = memory.of(arena, w.data().gain());
    MemorySegment y = memory.of(arena, new float[w.data().x().length]);
    long rows = w.rows();
    long cols = w.cols();
    if (Panorm.backend() == Backend.JAVA) {
      throw new IllegalStateException("There is no native kernel here: the backend is java");
    }
    int op = PanormNative.PANORM_RMS_NORM() | (rows == 1 ? PanormNative.PANORM_ONE_ROW() : 0);
    MemorySegment kernel = PanormNative.panorm_kernel(op, PanormNative.PANORM_F32(),
        PanormNative.PANORM_F32(), Panorm.backend().ordinal() - Backend.SCALAR.ordinal());
    Runnable call = loop ? () -> {
      try {
        requireOk((int) Loop.HANDLE.invokeExact(kernel, x, gain, y, rows, cols,
            (double) Workload.EPSILON, LOOP));
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    } : rows == 1 ? () -> {
      try {
        requireOk(
            (int) Handle.ROW.invokeExact(kernel, x, gain, y, MemorySegment.NULL, MemorySegment.NULL,
                cols, cols, MemorySegment.NULL, (double) Workload.EPSILON, (double) cols));
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    } : () -> {
      try {
        requireOk((int) Handle.ROWS.invokeExact(kernel, x, MemorySegment.NULL, gain,
            MemorySegment.NULL, y, MemorySegment.NULL, MemorySegment.NULL, rows, 1L, cols, cols,
            cols, 0L, cols, (double) Workload.EPSILON, 0.0, (double) cols, 0));
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    };
    return new Task(call, loop ? LOOP : 1, () -> memory.values(y));
  }

  private static void requireOk(int status) {
    if (status != 0) {
      throw new IllegalStateException("The kernel returned " + status);
    }
  }
}
