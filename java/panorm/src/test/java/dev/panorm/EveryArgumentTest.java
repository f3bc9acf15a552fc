package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every argument of every method, made wrong in every way: it is refused, and nothing is written.
 * The messages are {@link ArgumentsTest}'s.
 */
class EveryArgumentTest {
  private static final int COLS = 8;

  /** One row, too: many calls of one take a way of their own. */
  private static final List<Integer> ROWS = List.of(1, 3);

  private static final byte PATTERN = 0x3f;

  /** Two that may be the same tensor, the written one first. */
  private static final Set<List<String>> MAY_ALIAS = Set.of(List.of("y", "x"), List.of("w", "v"),
      List.of("dx", "dy"), List.of("dx", "x"), List.of("dv", "dw"), List.of("dv", "v"));

  /** A method with no other arguments may take the short way. */
  private static final Set<String> SHORT = Set.of("x", "residual", "y", "gain", "bias");

  private record Shape(long rows, long cols, DType type, boolean written, boolean nullable) {
    Tensor allocate(Arena arena) {
      Tensor t = Tensor.allocate(arena, type, rows, cols);
      t.segment().fill(PATTERN);
      return t;
    }

    Tensor onHeap() {
      int size = (int) (rows * cols);
      MemorySegment array = type == DType.I8
          ? MemorySegment.ofArray(new byte[size])
          : MemorySegment.ofArray(new float[size]);
      return Tensor.ofSegment(array.fill(PATTERN), type, rows, cols);
    }

    @Override
    public String toString() {
      return rows + " x " + cols + " " + type;
    }

    Shape as(long newRows, long newCols, DType newType) {
      return new Shape(newRows, newCols, newType, written, nullable);
    }
  }

  private interface Run {
    void on(Backend backend, Map<String, Tensor> t);
  }

  private record Method(String name, Map<String, Shape> arguments, long rows, Run run) {
    /** The same, called with so many rows. */
    Method of(long newRows) {
      return method(name, arguments.keySet(), newRows, run);
    }

    Map<String, Tensor> allocate(Arena arena) {
      Map<String, Tensor> tensors = new HashMap<>();
      arguments.forEach((name, shape) -> tensors.put(name, shape.allocate(arena)));
      return tensors;
    }

    @Override
    public String toString() {
      return name + " of " + rows + (rows == 1 ? " row" : " rows");
    }
  }

  /** What the names of arguments stand for, wherever they appear. */
  private static Shape shape(String method, String name, long rows) {
    boolean batch = method.startsWith("BatchNorm");
    boolean backward = method.endsWith("backward");
    boolean inference = method.equals("BatchNorm.forward");
    return switch (name) {
      case "x", "dy", "v", "dw", "gate" -> new Shape(rows, COLS, DType.F32, false, false);
      case "residual" -> new Shape(rows, COLS, DType.F32, true, false);
      case "y", "w" -> new Shape(rows, COLS,
          method.toLowerCase().contains("quantized") ? DType.I8 : DType.F32, true, false);
      case "dx", "dv" -> new Shape(rows, COLS, DType.F32, true, true);
      case "gain",
          "bias" ->
        method.startsWith("WeightNorm")
            ? new Shape(rows, 1, DType.F32, false, false)
            : new Shape(1, COLS, DType.F32, false, false);
      case "dGain",
          "dBias" ->
        method.startsWith("WeightNorm")
            ? new Shape(rows, 1, DType.F32, true, true)
            : new Shape(1, COLS, DType.F32, true, true);
      default -> new Shape(batch ? 1 : rows, batch ? COLS : 1, DType.F32, !backward && !inference,
          name.equals("variance?"));
    };
  }

  private static Method method(String name, String arguments, Run run) {
    return method(name, List.of(arguments.split(", ")), ROWS.getLast(), run);
  }

  private static Method method(String name, Collection<String> arguments, long rows, Run run) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    arguments.forEach(argument -> shapes.put(argument, shape(name, argument, rows)));
    return new Method(name, shapes, rows, run);
  }

  private static RmsNorm rms(Backend backend, Map<String, Tensor> t) {
    return RmsNorm.builder(t.get("gain")).bias(t.get("bias")).backend(backend).build();
  }

  private static LayerNorm layer(Backend backend, Map<String, Tensor> t) {
    return LayerNorm.builder(t.get("gain")).bias(t.get("bias")).backend(backend).build();
  }

  private static L2Norm l2(Backend backend, Map<String, Tensor> t) {
    return L2Norm.builder().gain(t.get("gain")).backend(backend).build();
  }

  private static WeightNorm weight(Backend backend, Map<String, Tensor> t) {
    return WeightNorm.builder(t.get("gain")).backend(backend).build();
  }

  private static BatchNorm batch(Backend backend, Map<String, Tensor> t) {
    return BatchNorm.builder(t.get("gain")).bias(t.get("bias")).backend(backend).build();
  }

  private static List<Method> methods() {
    return List.of(
        method("RmsNorm.forward", "x, y, gain, bias",
            (b, t) -> rms(b, t).forward(t.get("x"), t.get("y"))),
        method("RmsNorm.forward", "x, y, inverse, gain, bias",
            (b, t) -> rms(b, t).forward(t.get("x"), t.get("y"), t.get("inverse"))),
        method("RmsNorm.addForward", "x, residual, y, gain, bias",
            (b, t) -> rms(b, t).addForward(t.get("x"), t.get("residual"), t.get("y"))),
        method("RmsNorm.addForward", "x, residual, y, inverse, gain, bias",
            (b, t) -> rms(b, t).addForward(t.get("x"), t.get("residual"), t.get("y"),
                t.get("inverse"))),
        method("RmsNorm.gatedForward", "x, gate, y, gain, bias",
            (b, t) -> rms(b, t).gatedForward(t.get("x"), t.get("gate"), t.get("y"))),
        method("RmsNorm.quantizedForward", "x, y, scale, gain, bias",
            (b, t) -> rms(b, t).quantizedForward(t.get("x"), t.get("y"), t.get("scale"))),
        method("RmsNorm.addQuantizedForward", "x, residual, y, scale, gain, bias",
            (b, t) -> rms(b, t).addQuantizedForward(t.get("x"), t.get("residual"), t.get("y"),
                t.get("scale"))),
        method("RmsNorm.backward", "dy, x, inverse, dx, dGain, gain, bias",
            (b, t) -> rms(b, t).backward(t.get("dy"), t.get("x"), t.get("inverse"), t.get("dx"),
                t.get("dGain"))),
        method("RmsNorm.backward", "dy, x, inverse, dx, dGain, dBias, gain, bias",
            (b, t) -> rms(b, t).backward(t.get("dy"), t.get("x"), t.get("inverse"), t.get("dx"),
                t.get("dGain"), t.get("dBias"))),
        method("LayerNorm.forward", "x, y, gain, bias",
            (b, t) -> layer(b, t).forward(t.get("x"), t.get("y"))),
        method("LayerNorm.forward", "x, y, mean, inverse, gain, bias",
            (b, t) -> layer(b, t).forward(t.get("x"), t.get("y"), t.get("mean"), t.get("inverse"))),
        method("LayerNorm.addForward", "x, residual, y, gain, bias",
            (b, t) -> layer(b, t).addForward(t.get("x"), t.get("residual"), t.get("y"))),
        method("LayerNorm.addForward", "x, residual, y, mean, inverse, gain, bias",
            (b, t) -> layer(b, t).addForward(t.get("x"), t.get("residual"), t.get("y"),
                t.get("mean"), t.get("inverse"))),
        method("LayerNorm.quantizedForward", "x, y, scale, gain, bias",
            (b, t) -> layer(b, t).quantizedForward(t.get("x"), t.get("y"), t.get("scale"))),
        method("LayerNorm.addQuantizedForward", "x, residual, y, scale, gain, bias",
            (b, t) -> layer(b, t).addQuantizedForward(t.get("x"), t.get("residual"), t.get("y"),
                t.get("scale"))),
        method("LayerNorm.backward", "dy, x, mean, inverse, dx, dGain, dBias, gain, bias",
            (b, t) -> layer(b, t).backward(t.get("dy"), t.get("x"), t.get("mean"), t.get("inverse"),
                t.get("dx"), t.get("dGain"), t.get("dBias"))),
        method("L2Norm.forward", "x, y, gain", (b, t) -> l2(b, t).forward(t.get("x"), t.get("y"))),
        method("L2Norm.forward", "x, y, inverse, gain",
            (b, t) -> l2(b, t).forward(t.get("x"), t.get("y"), t.get("inverse"))),
        method("L2Norm.quantizedForward", "x, y, scale, gain",
            (b, t) -> l2(b, t).quantizedForward(t.get("x"), t.get("y"), t.get("scale"))),
        method("L2Norm.backward", "dy, x, inverse, dx, dGain, gain",
            (b, t) -> l2(b, t).backward(t.get("dy"), t.get("x"), t.get("inverse"), t.get("dx"),
                t.get("dGain"))),
        method("WeightNorm.forward", "v, w, gain",
            (b, t) -> weight(b, t).forward(t.get("v"), t.get("w"))),
        method("WeightNorm.forward", "v, w, inverse, gain",
            (b, t) -> weight(b, t).forward(t.get("v"), t.get("w"), t.get("inverse"))),
        method("WeightNorm.backward", "dw, v, inverse, dv, dGain, gain",
            (b, t) -> weight(b, t).backward(t.get("dw"), t.get("v"), t.get("inverse"), t.get("dv"),
                t.get("dGain"))),
        method("BatchNorm.forward", "x, y, mean, variance, gain, bias",
            (b, t) -> batch(b, t).forward(t.get("x"), t.get("y"), t.get("mean"),
                t.get("variance"))),
        method("BatchNorm.trainingForward", "x, y, mean, variance?, inverse, gain, bias",
            (b, t) -> batch(b, t).trainingForward(t.get("x"), t.get("y"), t.get("mean"),
                t.get("variance?"), t.get("inverse"))),
        method("BatchNorm.trainingForward",
            "x, y, mean, variance, inverse, running mean, running variance, gain, bias",
            (b, t) -> batch(b, t).trainingForward(t.get("x"), t.get("y"), t.get("mean"),
                t.get("variance"), t.get("inverse"), t.get("running mean"),
                t.get("running variance"))),
        method("BatchNorm.backward", "dy, x, mean, inverse, dx, dGain, dBias, gain, bias",
            (b, t) -> batch(b, t).backward(t.get("dy"), t.get("x"), t.get("mean"), t.get("inverse"),
                t.get("dx"), t.get("dGain"), t.get("dBias"))));
  }

  static Stream<Object[]> methodsAndBackends() {
    List<Method> all = ROWS.stream()
        .flatMap(rows -> methods().stream().map(method -> method.of(rows)))
        // The variance of a batch of one row cannot be unbiased, as a running one is.
        .filter(method -> method.rows > 1 || !method.arguments.containsKey("running variance"))
        .toList();
    return Panorm.availableBackends()
        .stream()
        .flatMap(b -> all.stream().map(method -> new Object[] {method, b}));
  }

  /** Refused, with what the call could have written as it was. */
  private static void refuses(Class<? extends Throwable> type, String part, Method method,
      Backend backend, Map<String, Tensor> tensors, String what) {
    Throwable e = assertThrows(type, () -> method.run.on(backend, tensors), what);
    assertTrue(e.getMessage().contains(part), what + ": " + e.getMessage());
    tensors.forEach((name, t) -> {
      if (t != null && t.segment().scope().isAlive()
          && t.segment().isAccessibleBy(Thread.currentThread())) {
        for (byte b : t.segment().toArray(ValueLayout.JAVA_BYTE)) {
          assertEquals(PATTERN, b, name + " was written: " + what);
        }
      }
    });
  }

  /** How messages call an argument: those of WeightNorm as they call those of the others. */
  private static String named(Method method, String argument) {
    return switch (argument) {
      case "v" -> "x";
      case "w" -> "y";
      case "dv" -> "dx";
      case "dw" -> "dy";
      case "inverse" -> method.name.startsWith("RmsNorm")
          ? "inverse RMS"
          : method.name.startsWith("L2Norm") || method.name.startsWith("WeightNorm")
              ? "inverse norm"
              : "inverse deviation";
      case "variance?" -> "variance";
      default -> argument;
    };
  }

  /** Or else what follows would be refused for the wrong reason. */
  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void right(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.run.on(backend, method.allocate(arena));
      method.arguments.forEach((name, shape) -> {
        if (shape.nullable) {
          Map<String, Tensor> tensors = method.allocate(arena);
          tensors.put(name, null);
          method.run.on(backend, tensors);
        }
      });
    }
  }

  /** Not with the others: each has to be seen by itself. */
  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void aloneOnTheHeap(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> expected = method.allocate(arena);
      method.run.on(backend, expected);
      method.arguments.forEach((name, shape) -> {
        Map<String, Tensor> tensors = method.allocate(arena);
        tensors.put(name, shape.onHeap());
        method.run.on(backend, tensors);
        tensors.forEach((other, t) -> assertEquals(-1,
            expected.get(other).segment().mismatch(t.segment()), other + ", with " + name));
      });
    }
  }

  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void absent(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.arguments.forEach((name, shape) -> {
        if (!shape.nullable) {
          Map<String, Tensor> tensors = method.allocate(arena);
          tensors.put(name, null);
          refuses(NullPointerException.class, named(method, name), method, backend, tensors, name);
        }
      });
    }
  }

  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void ofAnotherShapeOrType(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.arguments.forEach((name, s) -> {
        for (Shape wrong : List.of(s.as(s.rows + 1, s.cols, s.type),
            s.as(s.rows, s.cols + 1, s.type), s.as(s.rows, s.cols, DType.F64))) {
          Map<String, Tensor> tensors = method.allocate(arena);
          Tensor t = wrong.allocate(arena);
          tensors.put(name, t);
          // A type that no kernel has is named without its tensor.
          String part = wrong.type == s.type ? t.toString() : "F64";
          refuses(IllegalArgumentException.class, part, method, backend, tensors,
              name + " is " + t);
        }
      });
    }
  }

  /** What has one element a row: rows may lie apart, but not these. */
  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void withGaps(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.arguments.forEach((name, s) -> {
        if (s.cols == 1 && s.rows > 1) {
          Map<String, Tensor> tensors = method.allocate(arena);
          MemorySegment memory = arena.allocate(256, 64).fill(PATTERN);
          tensors.put(name, Tensor.ofSegment(memory, s.type, s.rows, 1, 2));
          refuses(IllegalArgumentException.class, "row stride 2", method, backend, tensors, name);
        }
      });
    }
  }

  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void readOnly(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.arguments.forEach((name, s) -> {
        if (s.written) {
          Map<String, Tensor> tensors = method.allocate(arena);
          tensors.computeIfPresent(name,
              (n, t) -> Tensor.ofSegment(t.segment().asReadOnly(), s.type, s.rows, s.cols));
          refuses(IllegalArgumentException.class, "read-only", method, backend, tensors, name);
        }
      });
    }
  }

  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void overlapping(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.arguments.forEach((name, s) -> method.arguments.forEach((otherName, other) -> {
        if (s.written && !name.equals(otherName)) {
          Map<String, Tensor> tensors = method.allocate(arena);
          // The last element of the one with the larger elements and the first of the other.
          boolean otherFirst = s.type == DType.I8;
          Shape first = otherFirst ? other : s;
          Shape second = otherFirst ? s : other;
          MemorySegment memory = arena.allocate(256, 64).fill(PATTERN);
          Tensor a = Tensor.ofSegment(memory, first.type, first.rows, first.cols);
          Tensor b = Tensor.ofSegment(
              memory.asSlice(a.segment().byteSize() - first.type.byteSize()), second.type,
              second.rows, second.cols);
          tensors.put(name, otherFirst ? b : a);
          tensors.put(otherName, otherFirst ? a : b);
          String what = name + " and " + otherName;
          refuses(IllegalArgumentException.class, "overlaps", method, backend, tensors, what);

          if (s.equals(other) || (s.rows == other.rows && s.cols == other.cols)) {
            Tensor same = Tensor.ofSegment(memory, s.type, s.rows, s.cols);
            tensors.put(name, same);
            tensors.put(otherName, Tensor.ofSegment(memory, other.type, other.rows, other.cols));
            if (!MAY_ALIAS.contains(List.of(name, otherName))
                && !MAY_ALIAS.contains(List.of(otherName, name)) || s.type != other.type) {
              refuses(IllegalArgumentException.class, "overlaps", method, backend, tensors, what);
            } else {
              method.run.on(backend, tensors);
            }
          }
        }
      }));
    }
  }

  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void inAClosedArena(Method method, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      method.arguments.forEach((name, shape) -> {
        if (read(method, name)) {
          Map<String, Tensor> tensors = method.allocate(arena);
          try (Arena closed = Arena.ofConfined()) {
            tensors.put(name, shape.allocate(closed));
          }
          refuses(IllegalStateException.class,
              unlessShort(method, named(method, name) + " is in a closed arena: " + shape), method,
              backend, tensors, name);
        }
      });
    }
  }

  @ParameterizedTest
  @MethodSource("methodsAndBackends")
  void inAnArenaOfAnotherThread(Method method, Backend backend) throws Exception {
    try (Arena arena = Arena.ofConfined();
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      Arena others = other.submit(() -> Arena.ofConfined()).get();
      for (Map.Entry<String, Shape> argument : method.arguments.entrySet()) {
        if (read(method, argument.getKey())) {
          Map<String, Tensor> tensors = method.allocate(arena);
          tensors.put(argument.getKey(),
              other.submit(() -> argument.getValue().allocate(others)).get());
          refuses(WrongThreadException.class,
              unlessShort(method,
                  named(method, argument.getKey()) + " is confined to another thread: "),
              method, backend, tensors, argument.getKey());
        }
      }
      other.submit(others::close).get();
    }
  }

  /** What the message has to say; nothing where naming the tensor would cost one row its time. */
  private static String unlessShort(Method method, String message) {
    return method.rows == 1 && SHORT.containsAll(method.arguments.keySet()) ? "" : message;
  }

  /** A backward call does not look at the bias. */
  private static boolean read(Method method, String argument) {
    return !(argument.equals("bias") && method.name.endsWith("backward"));
  }
}
