package dev.panorm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.ForwardCall.Choice;
import dev.panorm.ForwardCall.Shape;
import dev.panorm.internal.FirstRows;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.NativeKernel;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The way of rows until their handle is linked has the bits, and the manners, of the other. */
class FirstRowsTest {
  private static final int[] WIDTHS = {1, 5, 31, 64, 67, 130, 1000};

  /** So many columns that to copy them takes a while. */
  private static final int LONG = 1 << 15;

  /** Arguments by their position. */
  private static final int RESIDUAL = 1;
  private static final int Y = 4;

  static List<KernelId> kernels() {
    return KernelId.all();
  }

  /** A call of one row, which takes native kernels by {@link FirstRows}. */
  private record RowCall(ForwardCall call) implements KernelCall {
    @Override
    public List<Argument> arguments() {
      return call.arguments();
    }

    @Override
    public int misalignment() {
      return call.misalignment();
    }

    @Override
    public void run(Kernel kernel, MemorySegment[] memory, boolean heap) {
      if (kernel instanceof NativeKernel ofRows) {
        MemorySegment y = memory[4].equals(MemorySegment.NULL) ? memory[0] : memory[4];
        FirstRows.forwardRow(ofRows, memory[0], memory[1], memory[2], memory[3], y, memory[6],
            call.shape().width(), call.shape().span(), call.choice().epsilon(),
            call.shape().divisor());
      } else {
        call.run(kernel, memory, heap);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void sameBits(KernelId id) {
    RandomGenerator random = new SplittableRandom(6);
    for (Choice choice : Choice.all(id)) {
      boolean ofOneRow = (choice.options() & ~Options.AUX_ADD) == 0 && !choice.statistics()
          && choice.gainOffset() == 0;
      for (int width : ofOneRow ? WIDTHS : new int[0]) {
        long span = choice.partial() ? 1 + random.nextLong(width) : width;
        Shape shape = new Shape(1, 1, width, span, span * 1.5, new int[3], random.nextInt(17),
            random.nextInt(4) == 0);
        ForwardCall call = new ForwardCall(id, choice, shape, Values.NORMAL, Values.NORMAL);
        Slab.assertSameOnAllBackends(new RowCall(call), id, random);
      }
    }
  }

  @Test
  void refusesMemoryThatIsFreed() {
    Arena arena = Arena.ofConfined();
    MemorySegment freed = arena.allocate(64);
    arena.close();
    refuses(freed, IllegalStateException.class);
  }

  @Test
  void refusesMemoryOfAnotherThread() {
    MemorySegment others = CompletableFuture.supplyAsync(() -> Arena.ofConfined().allocate(64))
        .join();
    refuses(others, WrongThreadException.class);
  }

  /** Whichever argument it is: and nothing is written. */
  private static void refuses(MemorySegment lost, Class<? extends RuntimeException> expected) {
    KernelId id = new KernelId(Op.RMS_NORM, DType.F32, DType.I8);
    for (Backend backend : KernelId.nativeBackends()) {
      NativeKernel kernel = (NativeKernel) id.on(backend);
      for (int i = 0; i < 6; i++) {
        MemorySegment[] m = new MemorySegment[6];
        Arrays.setAll(m, _ -> MemorySegment.ofArray(new float[] {3, 4}));
        m[i] = lost;
        assertThrows(expected,
            () -> FirstRows.forwardRow(kernel, m[0], m[1], m[2], m[3], m[4], m[5], 2, 2, 1e-5, 2));
        m[i] = MemorySegment.ofArray(new float[] {3, 4});
        for (MemorySegment segment : m) {
          assertArrayEquals(new float[] {3, 4}, segment.toArray(JAVA_FLOAT));
        }
      }
    }
  }

  /** By another thread, whichever argument it is: calls are right until one is refused. */
  @Test
  void memoryFreedDuringCalls() throws InterruptedException {
    Jvm.passFirstRows();
    KernelId id = new KernelId(Op.RMS_NORM, DType.F32, DType.F32);
    for (Backend backend : KernelId.nativeBackends()) {
      NativeKernel kernel = (NativeKernel) id.on(backend);
      for (int i = 0; i < 200; i++) {
        int freed = i % (Y + 1);
        callUntilFreed(freed, m -> FirstRows.forwardRow(kernel, m[0], m[RESIDUAL], m[2], m[3], m[Y],
            MemorySegment.NULL, LONG, LONG, 0, LONG));
        callUntilFreed(freed, m -> kernel.forwardRow(m[0], m[RESIDUAL], m[2], m[3], m[Y],
            MemorySegment.NULL, LONG, LONG, 0, LONG, true));
      }
    }
  }

  private static void callUntilFreed(int freed, Consumer<MemorySegment[]> call)
      throws InterruptedException {
    float[] values = {0, 2, 3, 4, 5}; // of x, residual, gain, bias and y
    float right = (0 + 2) / 2 * 3 + 4;
    MemorySegment[] m = new MemorySegment[values.length];
    Arrays.setAll(m, i -> filled(values[i]));
    // What is freed becomes NaNs, which are to be neither read nor overwritten.
    MemorySegment memory = Arena.ofAuto().allocate(LONG * 4L).copyFrom(m[freed]);
    MemorySegment nans = filled(Float.NaN);
    Arena arena = Arena.ofShared();
    m[freed] = memory.reinterpret(arena, _ -> memory.copyFrom(nans));
    Thread freeing = Thread.ofPlatform().start(() -> free(arena));
    try {
      while (true) {
        m[Y].copyFrom(filled(values[Y]));
        call.accept(m);
        assertTrue(freed == Y || holds(m[Y], right), "y");
      }
    } catch (IllegalStateException e) {
      // Only the residual can be freed when y is written already.
      assertTrue(freed == Y || holds(m[Y], values[Y]) || freed == RESIDUAL && holds(m[Y], right),
          "y of the call that is refused");
      assertTrue(freed == RESIDUAL || holds(m[RESIDUAL], values[RESIDUAL]), "residual");
    }
    Thread.interrupted(); // HotSpot interrupts whom it finds copying what is freed
    freeing.join();
    assertTrue(holds(memory, Float.NaN), "freed memory");
  }

  private static void free(Arena arena) {
    while (arena.scope().isAlive()) {
      try {
        arena.close();
      } catch (IllegalStateException e) {
        Thread.onSpinWait(); // a call is under way
      }
    }
  }

  private static MemorySegment filled(float value) {
    float[] array = new float[LONG];
    Arrays.fill(array, value);
    return MemorySegment.ofArray(array);
  }

  private static boolean holds(MemorySegment memory, float value) {
    return memory.mismatch(filled(value)) < 0;
  }

  /** From the first call of a JVM until long after the handle is linked, on several threads. */
  @Test
  void changesOverDuringCalls() {
    Jvm.Result result = Jvm.running(Program.class).run();
    assertEquals("", result.err());
    assertEquals("linked, " + MemorySegment.NULL, result.out(), "no copies are kept");
    assertEquals(0, result.exit());
  }

  static final class Program {
    private static final int COLS = 1000;
    private static final int CALLS_AFTER = 1000;

    public static void main(String[] args) throws Exception {
      Tensor gain = Tensors.normal(Arena.ofAuto(), 1, COLS, 1);
      RmsNorm norm = RmsNorm.builder(gain).build();
      RmsNorm inJava = RmsNorm.builder(gain).backend(Backend.JAVA).build();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Tensor x = Tensors.normal(Arena.ofAuto(), 1, COLS, 2 + i);
        threads.add(Thread.ofPlatform().start(() -> hammer(norm, inJava, x)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      Field copies = FirstRows.class.getDeclaredField("copies");
      copies.setAccessible(true);
      System.out.print("linked, " + copies.get(null));
    }

    private static void hammer(RmsNorm norm, RmsNorm inJava, Tensor x) {
      Tensor expected = Tensor.allocate(Arena.ofAuto(), DType.F32, 1, COLS);
      inJava.forward(x, expected);
      Tensor y = Tensor.allocate(Arena.ofAuto(), DType.F32, 1, COLS);
      int after = 0;
      do {
        y.segment().fill((byte) 0);
        norm.forward(x, y);
        Tensors.assertSameBits(expected, y, "y");
        after = Jvm.isAtFirstRows() ? 0 : after + 1;
      } while (after < CALLS_AFTER);
    }
  }
}
