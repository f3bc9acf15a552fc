package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Sizes and distances beyond 2^31, in bytes and in elements. */
@ParameterizedClass
@MethodSource("dev.panorm.Panorm#availableBackends")
class LargeTensorsTest {
  @Parameter
  Backend backend;

  @TempDir
  Path folder;

  /** Empty but for what is written to it. */
  private MemorySegment sparse(Arena arena, String name, long bytes) throws IOException {
    try (FileChannel file = FileChannel.open(folder.resolve(name), StandardOpenOption.CREATE_NEW,
        StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
      return file.map(MapMode.READ_WRITE, 0, bytes, arena);
    }
  }

  /** Five rows over 12 GB, of which only their own pages exist. */
  @Test
  void rowsFarApart() throws IOException {
    long rows = 5;
    long cols = 67;
    long stride = (3L << 30) / 4 + 3;
    try (Arena arena = Arena.ofConfined()) {
      long bytes = ((rows - 1) * stride + cols) * 4;
      Tensor x = Tensor.ofSegment(sparse(arena, "x", bytes), DType.F32, rows, cols, stride);
      Tensor y = Tensor.ofSegment(sparse(arena, "y", bytes), DType.F32, rows, cols, stride);
      Operands.fill(x, 0, 1);
      Tensor near = Tensors.copy(arena, x);
      Tensor expected = Tensor.allocate(arena, DType.F32, rows, cols);
      RmsNorm norm = RmsNorm.builder().backend(backend).build();
      norm.forward(near, expected);
      norm.forward(x, y);
      Tensors.assertSameBits(expected, y, "y");
    }
  }

  /** One row of more than 2^31 elements, 4.3 GB, in place. */
  @Test
  @Tag("slow")
  void moreColumnsThanAnInt() throws IOException {
    long cols = (1L << 31) + 100;
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.ofSegment(sparse(arena, "x", cols * 2), DType.BF16, 1, cols);
      x.set(0, 5, 1);
      x.set(0, cols - 1, -3);
      Tensor inverse = Tensor.allocate(arena, DType.F32, 1, 1);
      RmsNorm norm = RmsNorm.builder().epsilon(0).backend(backend).build();
      if (backend == Backend.JAVA) {
        String message = assertThrows(IllegalArgumentException.class,
            () -> norm.forward(x, x, inverse)).getMessage();
        assertTrue(message.contains(String.valueOf(cols)), message);
        return;
      }
      norm.forward(x, x, inverse);
      // The sum of squares, 10, is exact; then come a quotient and a root in f32.
      float expected = 1 / (float) Math.sqrt(10f / (float) cols);
      assertEquals(expected, inverse.get(0, 0));
      Tensor wanted = Tensor.allocate(arena, DType.BF16, 1, 2);
      wanted.set(0, 0, expected);
      wanted.set(0, 1, -3 * expected);
      assertEquals(wanted.get(0, 0), x.get(0, 5));
      assertEquals(wanted.get(0, 1), x.get(0, cols - 1));
      assertEquals(0, x.get(0, cols - 2));
    }
  }

  /** Although each part of the columns that a gradient is summed by is narrow enough. */
  @Test
  void tooWideForJavaOnSeveralThreads() throws IOException {
    assumeTrue(backend == Backend.JAVA, "others take rows of any width");
    long cols = 1L << 31;
    try (Arena arena = Arena.ofShared()) {
      Tensor x = Tensor.ofSegment(sparse(arena, "x", cols * 2), DType.BF16, 1, cols);
      Tensor dGain = Tensor.ofSegment(sparse(arena, "dGain", cols * 4), DType.F32, 1, cols);
      Tensor inverse = Tensor.allocate(arena, DType.F32, 1, 1);
      x.set(0, 0, 1);
      inverse.set(0, 0, 1);
      RmsNorm norm = RmsNorm.builder().parallel(Runnable::run, 2).backend(backend).build();
      for (Tensor dx : new Tensor[] {x, null}) {
        String message = assertThrows(IllegalArgumentException.class,
            () -> norm.backward(x, x, inverse, dx, dGain)).getMessage();
        assertTrue(message.contains(String.valueOf(cols)), message);
        assertEquals(0, dGain.get(0, 0));
      }
    }
  }
}
