package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.panorm.ForwardCall.Choice;
import dev.panorm.ForwardCall.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every backend against {@link Backend#JAVA}, bit for bit, by the kernels' own interface. Calls are
 * generated: each test runs through one axis completely (options, widths, value classes) and draws
 * the others from a fixed seed. Kernels that appear in {@link KernelId#all} are tested without a
 * change here.
 */
class BitwiseTest {
  /** Backends that were compared at all; CI asserts that it met those it meant to test. */
  private static final Set<Backend> COMPARED = EnumSet.noneOf(Backend.class);

  private static final int[] LARGE_WIDTHS = {263, 509, 521, 1000, 1009, 1021, 1024, 2053};
  private static final int[] LARGEST_WIDTHS = {4095, 4096, 4097, 12_288};

  static List<KernelId> kernels() {
    return KernelId.all();
  }

  @AfterAll
  static void writeComparedBackends() throws IOException {
    Path target = Path.of(System.getProperty("basedir", "."), "target");
    Files.createDirectories(target);
    List<String> names = COMPARED.stream().map(Backend::toString).toList();
    Files.write(target.resolve("tested-backends.txt"), names);
  }

  /** Without this, a library that does not load would leave nothing to compare, and no failure. */
  @Test
  void nativeLibraryLoads() {
    assertNull(Panorm.nativeFailure().orElse(null));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void existsOnEveryBackend(KernelId id) {
    for (Backend backend : KernelId.nativeBackends()) {
      assertEquals(true, id.on(backend) != null, id + " on " + backend);
    }
  }

  /** All combinations of options, each on a small shape of its own. */
  @ParameterizedTest
  @MethodSource("kernels")
  void everyCombinationOfOptions(KernelId id) {
    RandomGenerator random = new SplittableRandom(1);
    int[] widths = {1, 5, 31, 64, 67, 130};
    for (Choice choice : Choice.all(id)) {
      int width = widths[random.nextInt(widths.length)];
      Shape shape = Shape.draw(width, 3, 3, random);
      compare(new ForwardCall(id, choice, shape, Values.NORMAL, Values.NORMAL), random);
    }
  }

  /** Around every edge of a lane, a register, a block of 64 and an unrolled loop. */
  @ParameterizedTest
  @MethodSource("kernels")
  void everyWidthTo257(KernelId id) {
    RandomGenerator random = new SplittableRandom(2);
    List<Choice> choices = Choice.all(id);
    for (int width = 1; width <= 257; width++) {
      for (int i = 0; i < 12; i++) {
        Choice choice = choices.get(random.nextInt(choices.size()));
        Values values = i < 6 ? Values.NORMAL : draw(Values.values(), random);
        Shape shape = Shape.draw(width, 5, 2, random);
        compare(new ForwardCall(id, choice, shape, values, Values.NORMAL), random);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void largeWidths(KernelId id) {
    RandomGenerator random = new SplittableRandom(3);
    List<Choice> choices = Choice.all(id);
    for (int width : LARGE_WIDTHS) {
      for (int i = 0; i < 6; i++) {
        Choice choice = choices.get(random.nextInt(choices.size()));
        Shape shape = Shape.draw(width, 5, 2, random);
        Values values = draw(Values.values(), random);
        compare(new ForwardCall(id, choice, shape, values, Values.NORMAL), random);
      }
    }
    for (int width : LARGEST_WIDTHS) {
      for (Values values : List.of(Values.NORMAL, Values.AROUND_10000, Values.HUGE)) {
        Choice choice = choices.get(random.nextInt(choices.size()));
        Shape shape = Shape.draw(width, 2, 1, random);
        compare(new ForwardCall(id, choice, shape, values, Values.NORMAL), random);
      }
    }
  }

  /** Enough elements that off-heap calls are not critical, and calls on arrays are cut. */
  @ParameterizedTest
  @MethodSource("kernels")
  void bigBatches(KernelId id) {
    RandomGenerator random = new SplittableRandom(4);
    List<Choice> choices = Choice.all(id);
    for (int width : new int[] {1, 64, 513}) {
      for (int i = 0; i < 3; i++) {
        Choice choice = choices.get(random.nextInt(choices.size()));
        Shape drawn = Shape.draw(width, 1, 2, random);
        long rows = 40_000 / (width * drawn.groups()) + 2;
        Shape shape = new Shape(rows, drawn.groups(), width, drawn.span(), drawn.divisor(),
            drawn.padding(), drawn.misalignment(), drawn.inPlace());
        compare(new ForwardCall(id, choice, shape, Values.NORMAL, Values.NORMAL), random);
      }
    }
  }

  static Stream<Object[]> kernelsAndValues() {
    return kernels().stream()
        .flatMap(id -> Stream.of(Values.values()).map(values -> new Object[] {id, values}));
  }

  /** Each class of values in x and aux; in gain and bias, too, every third time. */
  @ParameterizedTest
  @MethodSource("kernelsAndValues")
  void everyClassOfValues(KernelId id, Values values) {
    RandomGenerator random = new SplittableRandom(5);
    List<Choice> choices = Choice.all(id);
    for (int i = 0; i < 300; i++) {
      Choice choice = choices.get(random.nextInt(choices.size()));
      Values parameters = i % 3 == 0 ? draw(Values.values(), random) : Values.NORMAL;
      Shape shape = Shape.draw(1 + random.nextInt(200), 3, 2, random);
      compare(new ForwardCall(id, choice, shape, values, parameters), random);
    }
  }

  private static void compare(ForwardCall call, RandomGenerator random) {
    Slab.assertSameOnAllBackends(call, call.id(), random);
    COMPARED.addAll(KernelId.nativeBackends());
  }

  private static <T> T draw(T[] of, RandomGenerator random) {
    return of[random.nextInt(of.length)];
  }
}
