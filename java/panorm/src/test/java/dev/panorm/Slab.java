package dev.panorm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.panorm.internal.Element;
import dev.panorm.internal.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * One piece of memory that holds all arguments of a call, with a pattern between them, so that two
 * runs are compared whole: the results, the inputs, the gaps between rows, and what lies outside.
 */
final class Slab {
  private static final byte PATTERN = (byte) 0xa5;

  private static final long ALIGNMENT = 64;

  private final KernelCall call;
  private final List<Argument> arguments;
  private final boolean heap;
  private final MemorySegment memory;
  private final long[] offsets;

  private Slab(KernelCall call, MemorySegment memory, boolean heap, long[] offsets) {
    this.call = call;
    this.arguments = call.arguments();
    this.memory = memory;
    this.heap = heap;
    this.offsets = offsets;
  }

  /** Runs a call in Java, and on every native backend: off-heap, or on the heap, as is drawn. */
  static void assertSameOnAllBackends(KernelCall call, KernelId id, RandomGenerator random) {
    id.assumeNotLeftOut();
    boolean heap = random.nextInt(3) == 0;
    try (Arena arena = Arena.ofConfined()) {
      Slab pristine = Slab.filled(call, arena, random);
      Slab expected = pristine.copy(arena);
      expected.run(id.on(Backend.JAVA));
      expected.assertGapsUntouched("java");
      for (Backend backend : KernelId.nativeBackends()) {
        Slab actual = heap ? pristine.copyOnHeap() : pristine.copy(arena);
        actual.run(id.on(backend));
        expected.assertSame(actual, backend + (heap ? " on the heap" : ""));
      }
    }
  }

  /** Off-heap, filled with the call's values. */
  static Slab filled(KernelCall call, Arena arena, RandomGenerator random) {
    List<Argument> arguments = call.arguments();
    long[] offsets = new long[arguments.size()];
    long end = ALIGNMENT;
    for (int i = 0; i < offsets.length; i++) {
      Argument a = arguments.get(i);
      if (a != null) {
        offsets[i] = end + call.misalignment() * a.type().size;
        end = roundUp(offsets[i] + a.byteSize()) + ALIGNMENT;
      }
    }
    Slab slab = new Slab(call, arena.allocate(end, ALIGNMENT), false, offsets);
    slab.memory.fill(PATTERN);
    MemorySegment[] segments = slab.segments();
    for (int i = 0; i < offsets.length; i++) {
      Argument a = arguments.get(i);
      if (a != null && a.values() != null) {
        a.values().fill(segments[i], a, random);
      }
    }
    return slab;
  }

  Slab copy(Arena arena) {
    MemorySegment other = arena.allocate(memory.byteSize(), ALIGNMENT);
    return new Slab(call, other.copyFrom(memory), false, offsets);
  }

  Slab copyOnHeap() {
    MemorySegment other = MemorySegment.ofArray(new long[(int) (memory.byteSize() / 8)]);
    return new Slab(call, other.copyFrom(memory), true, offsets);
  }

  void run(Kernel kernel) {
    call.run(kernel, segments(), heap);
  }

  private MemorySegment[] segments() {
    MemorySegment[] segments = new MemorySegment[offsets.length];
    for (int i = 0; i < segments.length; i++) {
      Argument a = arguments.get(i);
      segments[i] = a == null ? MemorySegment.NULL : memory.asSlice(offsets[i], a.byteSize());
    }
    return segments;
  }

  /** Fails unless the other has the same bytes everywhere, any NaN counting as any other. */
  void assertSame(Slab actual, String who) {
    if (memory.mismatch(actual.memory) < 0) {
      return;
    }
    for (int i = 0; i < offsets.length; i++) {
      Argument a = arguments.get(i);
      if (a != null) {
        assertSameElements(a, offsets[i], actual, who);
      }
    }
    MemorySegment expectedCopy = withoutNans();
    MemorySegment actualCopy = actual.withoutNans();
    long at = expectedCopy.mismatch(actualCopy);
    if (at >= 0) {
      throw new AssertionError(
          "%s wrote outside of its outputs, %s; call: %s".formatted(who, place(at), call));
    }
  }

  private void assertSameElements(Argument a, long offset, Slab actual, String who) {
    long size = a.type().size;
    MemorySegment e = memory.asSlice(offset, a.byteSize());
    MemorySegment f = actual.memory.asSlice(offset, a.byteSize());
    for (long row = 0; row < a.rows(); row++) {
      for (long col = 0; col < a.cols(); col++) {
        long i = row * a.stride() + col;
        if (MemorySegment.mismatch(e, i * size, i * size + size, f, i * size, i * size + size) >= 0
            && !(isNan(a.type(), e, i) && isNan(a.type(), f, i))) {
          throw new AssertionError("%s[%d][%d] is %s (%s) on %s, but %s (%s) in Java; call: %s"
              .formatted(a.name(), row, col, a.type().get(f, i), hex(f, i, size), who,
                  a.type().get(e, i), hex(e, i, size), call));
        }
      }
    }
  }

  private static boolean isNan(Element type, MemorySegment segment, long index) {
    return Double.isNaN(type.get(segment, index));
  }

  private static String hex(MemorySegment segment, long index, long size) {
    byte[] bytes = segment.asSlice(index * size, size).toArray(JAVA_BYTE);
    StringBuilder text = new StringBuilder("0x");
    for (int i = bytes.length - 1; i >= 0; i--) { // every platform of ours is little-endian
      text.append(HexFormat.of().toHexDigits(bytes[i]));
    }
    return text.toString();
  }

  private MemorySegment withoutNans() {
    MemorySegment copy = MemorySegment.ofArray(memory.toArray(JAVA_BYTE));
    for (int i = 0; i < offsets.length; i++) {
      Argument a = arguments.get(i);
      for (long row = 0; a != null && row < a.rows(); row++) {
        MemorySegment line = copy.asSlice(offsets[i] + row * a.stride() * a.type().size,
            a.cols() * a.type().size);
        for (long col = 0; col < a.cols(); col++) {
          if (isNan(a.type(), line, col)) {
            a.type().set(line, col, Double.NaN);
          }
        }
      }
    }
    return copy;
  }

  private String place(long at) {
    for (int i = 0; i < offsets.length; i++) {
      Argument a = arguments.get(i);
      if (a != null && at >= offsets[i] && at < offsets[i] + a.byteSize()) {
        return "into a gap between rows of " + a.name() + ", byte " + (at - offsets[i]);
      }
      if (a != null && at >= offsets[i] - ALIGNMENT && at < offsets[i]) {
        return (offsets[i] - at) + " bytes before " + a.name();
      }
    }
    return "at byte " + at + " of the slab";
  }

  /** Fails if a byte outside of all rows of all arguments is not the pattern any more. */
  void assertGapsUntouched(String who) {
    byte[] bytes = memory.toArray(JAVA_BYTE);
    for (int i = 0; i < offsets.length; i++) {
      Argument a = arguments.get(i);
      for (long row = 0; a != null && row < a.rows(); row++) {
        int from = (int) (offsets[i] + row * a.stride() * a.type().size);
        Arrays.fill(bytes, from, from + (int) (a.cols() * a.type().size), PATTERN);
      }
    }
    for (int at = 0; at < bytes.length; at++) {
      if (bytes[at] != PATTERN) {
        throw new AssertionError(who + " wrote outside of its outputs, " + place(at) + ": " + call);
      }
    }
  }

  private static long roundUp(long size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
