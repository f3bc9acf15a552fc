package dev.panorm.paper.nn;

import dev.panorm.DType;
import dev.panorm.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory for the values of one step after another: allocating moves a mark, and a step ends by
 * moving it back. Belongs to the thread that made it.
 */
public final class Workspace implements AutoCloseable {
  private static final long CHUNK = 1L << 26;
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofConfined();
  private final List<MemorySegment> chunks = new ArrayList<>();
  private int chunk;
  private long used;

  /** Where allocation stands. */
  record Mark(int chunk, long used) {}

  /** Memory with whatever was there before. */
  Tensor allocate(long rows, long cols) {
    long bytes = (rows * cols * Float.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    while (chunk < chunks.size() && used + bytes > chunks.get(chunk).byteSize()) {
      chunk++;
      used = 0;
    }
    if (chunk == chunks.size()) {
      chunks.add(arena.allocate(Math.max(CHUNK, bytes), ALIGNMENT));
    }
    MemorySegment segment = chunks.get(chunk).asSlice(used, bytes);
    used += bytes;
    return Tensor.ofSegment(segment, DType.F32, rows, cols);
  }

  Tensor zeros(long rows, long cols) {
    Tensor zeros = allocate(rows, cols);
    zeros.segment().fill((byte) 0);
    return zeros;
  }

  Mark mark() {
    return new Mark(chunk, used);
  }

  /** Gives up everything allocated since the mark. */
  void release(Mark mark) {
    chunk = mark.chunk;
    used = mark.used;
  }

  void reset() {
    release(new Mark(0, 0));
  }

  @Override
  public void close() {
    arena.close();
  }
}
