package dev.panorm.paper.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class LoopsTest {
  private static final int N = 20_001;

  /** From -100 to 100, and near 0. */
  private static float at(int i) {
    return i % 2 == 0 ? (i - N / 2) / 100f : (i - N / 2) / 1e7f;
  }

  @Test
  void expIsWithinTwoUlps() {
    for (int i = 0; i < N; i++) {
      float x = Math.min(Math.max(at(i), -87), 88);
      double exact = Math.exp(x);
      assertEquals(exact, Loops.exp(x), 2 * Math.ulp((float) exact), "exp " + x);
    }
    assertEquals(Float.NaN, Loops.exp(Float.NaN));
  }

  @Test
  void tanhIsWithinTwoUlps() {
    for (int i = 0; i < N; i++) {
      float x = at(i);
      double exact = Math.tanh(x);
      assertEquals(exact, Loops.tanh(x), 2 * Math.ulp((float) exact), "tanh " + x);
    }
    assertEquals(Float.NaN, Loops.tanh(Float.NaN));
  }

  @Test
  void vectorsAndSingleElementsAreTheSameBits() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * N, 64);
      for (int i = 0; i < N; i++) {
        Loops.set(x, i, at(i));
      }
      MemorySegment whole = arena.allocate(4L * N, 64);
      MemorySegment single = arena.allocate(4L * N, 64);
      Loops.tanh(x, whole, N);
      for (int i = 0; i < N; i++) {
        Loops.set(single, i, Loops.tanh(at(i)));
      }
      assertArrayEquals(whole.toArray(ValueLayout.JAVA_INT), single.toArray(ValueLayout.JAVA_INT));
      for (int i = 0; i < N; i++) {
        Loops.set(single, i, Loops.exp(at(i)));
      }
      Loops.exp(x, 0, 0, N);
      assertArrayEquals(x.toArray(ValueLayout.JAVA_INT), single.toArray(ValueLayout.JAVA_INT));
    }
  }
}
