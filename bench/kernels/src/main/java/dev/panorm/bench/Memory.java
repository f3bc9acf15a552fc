package dev.panorm.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Where a contender holds numbers.
 *
 * @param <M> what holds them
 */
interface Memory<M> {
  /** A copy of the numbers. */
  M of(Arena arena, float[] values);

  /** The numbers in it. */
  float[] values(M memory);

  /** Java arrays of floats. */
  static Memory<float[]> floats() {
    return new Memory<>() {
      @Override
      public float[] of(Arena arena, float[] values) {
        return values.clone();
      }

      @Override
      public float[] values(float[] memory) {
        return memory.clone();
      }
    };
  }

  /** Java arrays of 16-bit elements. */
  static Memory<short[]> shorts(Format format) {
    return new Memory<>() {
      @Override
      public short[] of(Arena arena, float[] values) {
        short[] all = new short[values.length];
        for (int i = 0; i < all.length; i++) {
          all[i] = format.narrowed(values[i]);
        }
        return all;
      }

      @Override
      public float[] values(short[] memory) {
        float[] all = new float[memory.length];
        for (int i = 0; i < all.length; i++) {
          all[i] = format.widened(memory[i]);
        }
        return all;
      }
    };
  }

  /** Off-heap, aligned as the library's tensors are. */
  static Memory<MemorySegment> segments() {
    return new Memory<>() {
      @Override
      public MemorySegment of(Arena arena, float[] values) {
        return arena.allocate(4L * values.length, 64).copyFrom(MemorySegment.ofArray(values));
      }

      @Override
      public float[] values(MemorySegment memory) {
        return memory.toArray(JAVA_FLOAT);
      }
    };
  }
}
