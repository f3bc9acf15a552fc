package dev.panorm.bench;

import java.lang.foreign.Arena;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One call of one side: absolute times, and with JMH's gc profiler what it allocates. Its parameters
 * are the grid of everything here that compares Java and native code; not every side does every
 * operation.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgsAppend = {Child.VECTOR_MODULE, Child.NATIVE_ACCESS})
@Warmup(iterations = 2, time = 1) // the Vector API needs it on a busy machine
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class NormBenchmark {
  /** What is computed. */
  @Param({"RMS_NORM", "PARTIAL_RMS_NORM", "ADD_RMS_NORM", "LAYER_NORM", "RMS_NORM_INT8",
    "RMS_NORM_BACKWARD", "LAYER_NORM_BACKWARD"})
  public Operation operation;

  /** On which elements. */
  @Param({"F32", "BF16", "F16"})
  public Format format;

  /** By whom. */
  @Param({"native", "native-heap", "raw", "plain", "scalar", "vector", "vector-segment"})
  public String side;

  /** Rows: one token, a few, the batches of the paper's RNNs, a prompt. */
  @Param({"1", "16", "128", "512"})
  public int rows;

  /** Columns: heads, models from small to large, and one odd size. */
  @Param({"64", "128", "384", "768", "1000", "1024", "2048", "4096", "8192"})
  public int cols;

  private Arena arena;
  private Runnable call;

  /** The values of a parameter above. */
  static List<String> grid(String parameter) {
    try {
      Field field = NormBenchmark.class.getField(parameter);
      return Arrays.asList(field.getAnnotation(Param.class).value());
    } catch (NoSuchFieldException e) {
      throw new AssertionError(e);
    }
  }

  /** All problems of the grid. */
  static List<Problem> problems() {
    List<Problem> problems = new ArrayList<>();
    for (String format : grid("format")) {
      for (String operation : grid("operation")) {
        problems.add(new Problem(Operation.valueOf(operation), Format.valueOf(format)));
      }
    }
    return problems;
  }

  /** The shapes of the grid with so many rows. */
  static List<Shape> shapes(int rows) {
    return grid("cols").stream().map(cols -> new Shape(rows, Integer.parseInt(cols))).toList();
  }

  /** All shapes of the grid. */
  static List<Shape> shapes() {
    return grid("rows").stream().flatMap(rows -> shapes(Integer.parseInt(rows)).stream()).toList();
  }

  /** Binds the buffers, computes once and checks the result. */
  @Setup
  public void bind() {
    Contender who = Side.of(side, operation, format).who();
    arena = Arena.ofConfined();
    call = Workload.of(new Problem(operation, format), rows, cols).solvedBy(who, arena).call();
  }

  /** One call. */
  @Benchmark
  public void call() {
    call.run();
  }

  /** Frees the buffers. */
  @TearDown
  public void free() {
    arena.close();
  }
}
