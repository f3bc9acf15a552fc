package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The limit: moves the bytes of x to y and computes nothing, by C's memcpy or by Java. */
record CopyContender(String name, boolean memcpy) implements Contender {
  private static final class Memcpy {
    static final MethodHandle HANDLE = Linker.nativeLinker()
        .downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow("memcpy"),
            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG),
            Linker.Option.critical(false));
  }

  @Override
  public boolean solves(Problem problem) {
    return problem.equals(new Problem(Operation.COPY, Format.F32));
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    Memory<MemorySegment> memory = Memory.segments();
    MemorySegment x = memory.of(arena, w.data().x());
    MemorySegment y = memory.of(arena, new float[w.data().x().length]);
    Runnable call = memcpy ? () -> {
      try {
        MemorySegment _ = (MemorySegment) Memcpy.HANDLE.invokeExact(y, x, x.byteSize());
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    } : () -> MemorySegment.copy(x, 0, y, 0, x.byteSize());
    return new Task(call, () -> memory.values(y));
  }
}
