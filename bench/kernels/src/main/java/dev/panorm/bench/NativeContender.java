package dev.panorm.bench;

import dev.panorm.DType;
import dev.panorm.LayerNorm;
import dev.panorm.RmsNorm;
import dev.panorm.SpinningThreads;
import dev.panorm.Tensor;
import dev.panorm.bench.baseline.Reader;
import dev.panorm.bench.baseline.VectorSegments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The library through its public API. */
record NativeContender(String name, Way way) implements Contender {
  /** How it is used. */
  enum Way {
    OFF_HEAP, HEAP,
    /** Off-heap; a residual is added by Java before the norm: what the fused form saves. */
    ADD_APART,
    /** Off-heap, on two threads. */
    TWO_THREADS
  }

  private static final class Helper {
    static final SpinningThreads ONE = new SpinningThreads(1, Duration.ofMillis(1));
  }

  @Override
  public int threads() {
    return way == Way.TWO_THREADS ? 2 : 1;
  }

  @Override
  public boolean solves(Problem problem) {
    return switch (problem.operation()) {
      case COPY -> false;
      case ADD_RMS_NORM -> problem.format() == Format.F32 || way != Way.ADD_APART;
      case RMS_NORM_READ -> problem.format() == Format.F32 && way == Way.OFF_HEAP;
      case RMS_NORM_INT8, RMS_NORM_BACKWARD, LAYER_NORM_BACKWARD ->
        problem.format() == Format.F32 && way != Way.ADD_APART;
      default -> way != Way.ADD_APART;
    };
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    int rows = w.rows();
    int cols = w.cols();
    DType type = w.format().type();
    Tensor x = tensor(arena, type, rows, cols, w.data().x());
    Tensor gain = tensor(arena, type, 1, cols, w.data().gain());
    Tensor y = tensor(arena, type, rows, cols);
    RmsNorm rms = rms(w, gain);
    return switch (w.operation()) {
      case COPY -> throw new AssertionError();
      case RMS_NORM, PARTIAL_RMS_NORM -> task(() -> rms.forward(x, y), y);
      case RMS_NORM_READ -> {
        Reader reader = new Reader();
        yield task(() -> {
          rms.forward(x, y);
          reader.read(y.segment());
        }, y);
      }
      case ADD_RMS_NORM -> {
        Tensor residual = tensor(arena, type, rows, cols, w.data().residual());
        yield way != Way.ADD_APART ? task(() -> rms.addForward(x, residual, y), y) : task(() -> {
          VectorSegments.add(x.segment(), residual.segment(), rows * cols);
          rms.forward(residual, y);
        }, y);
      }
      case LAYER_NORM -> {
        LayerNorm norm = layer(w, gain, tensor(arena, type, 1, cols, w.data().bias()));
        yield task(() -> norm.forward(x, y), y);
      }
      case RMS_NORM_INT8 -> {
        Tensor bytes = tensor(arena, DType.I8, rows, cols);
        Tensor scale = tensor(arena, DType.F32, rows, 1);
        yield new Task(() -> rms.quantizedForward(x, bytes, scale), () -> {
          float[] all = values(bytes);
          for (int i = 0; i < all.length; i++) {
            all[i] *= (float) scale.get(i / cols, 0);
          }
          return all;
        });
      }
      case RMS_NORM_BACKWARD -> {
        Tensor dy = tensor(arena, type, rows, cols, w.data().dy());
        Tensor inverse = tensor(arena, DType.F32, rows, 1, w.data().inverse());
        Tensor dGain = tensor(arena, DType.F32, 1, cols);
        yield task(() -> rms.backward(dy, x, inverse, y, dGain), y, dGain);
      }
      case LAYER_NORM_BACKWARD -> {
        LayerNorm norm = layer(w, gain, tensor(arena, type, 1, cols, w.data().bias()));
        Tensor dy = tensor(arena, type, rows, cols, w.data().dy());
        Tensor mean = tensor(arena, DType.F32, rows, 1, w.data().mean());
        Tensor inverse = tensor(arena, DType.F32, rows, 1, w.data().inverse());
        Tensor dGain = tensor(arena, DType.F32, 1, cols);
        Tensor dBias = tensor(arena, DType.F32, 1, cols);
        yield task(() -> norm.backward(dy, x, mean, inverse, y, dGain, dBias), y, dGain, dBias);
      }
    };
  }

  private RmsNorm rms(Workload w, Tensor gain) {
    RmsNorm.Builder builder = RmsNorm.builder(gain).epsilon(Workload.EPSILON);
    if (w.operation() == Operation.PARTIAL_RMS_NORM) {
      builder.partial(Operation.PARTIAL);
    }
    if (way == Way.TWO_THREADS) {
      builder.parallel(Helper.ONE);
    }
    return builder.build();
  }

  private LayerNorm layer(Workload w, Tensor gain, Tensor bias) {
    LayerNorm.Builder builder = LayerNorm.builder(gain).bias(bias).epsilon(Workload.EPSILON);
    if (way == Way.TWO_THREADS) {
      builder.parallel(Helper.ONE);
    }
    return builder.build();
  }

  private Tensor tensor(Arena arena, DType type, int rows, int cols, float... values) {
    Tensor tensor = way == Way.HEAP
        ? Tensor.ofSegment(array(type, rows * cols), type, rows, cols)
        : Tensor.allocate(arena, type, rows, cols);
    for (int i = 0; i < values.length; i++) {
      tensor.set(i / cols, i % cols, values[i]);
    }
    return tensor;
  }

  private static MemorySegment array(DType type, int size) {
    return switch (type) {
      case F16, BF16 -> MemorySegment.ofArray(new short[size]);
      case I8 -> MemorySegment.ofArray(new byte[size]);
      default -> MemorySegment.ofArray(new float[size]);
    };
  }

  private static Task task(Runnable call, Tensor... outputs) {
    return new Task(call, () -> values(outputs));
  }

  private static float[] values(Tensor... tensors) {
    int size = 0;
    for (Tensor t : tensors) {
      size += Math.toIntExact(t.rows() * t.cols());
    }
    float[] all = new float[size];
    int at = 0;
    for (Tensor t : tensors) {
      for (long i = 0; i < t.rows() * t.cols(); i++) {
        all[at++] = (float) t.get(i / t.cols(), i % t.cols());
      }
    }
    return all;
  }
}
