package dev.panorm.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.panorm.bench.Contender;
import dev.panorm.bench.Format;
import dev.panorm.bench.Operation;
import dev.panorm.bench.Problem;
import dev.panorm.bench.Task;
import dev.panorm.bench.Workload;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime through its Java API: a session of one node, gain and bias constants of it, inputs and
 * outputs on direct buffers that are bound once.
 */
public class OnnxRuntime implements Contender {
  /** On two threads. */
  public static final class OnTwoThreads extends OnnxRuntime {
    @Override
    public String name() {
      return "onnxruntime-2";
    }

    @Override
    public int threads() {
      return 2;
    }
  }

  @Override
  public String name() {
    return "onnxruntime";
  }

  @Override
  public boolean solves(Problem problem) {
    return problem.format() == Format.F32 && switch (problem.operation()) {
      case RMS_NORM, ADD_RMS_NORM, LAYER_NORM -> true;
      default -> false;
    };
  }

  private static OnnxModel model(Workload w) {
    Workload.Data data = w.data();
    int rows = w.rows();
    int cols = w.cols();
    float epsilon = Workload.EPSILON;
    OnnxModel model = switch (w.operation()) {
      case RMS_NORM -> new OnnxModel("", "SimplifiedLayerNormalization", List.of("x", "gain"),
          List.of("y"), epsilon);
      case LAYER_NORM ->
        new OnnxModel("", "LayerNormalization", List.of("x", "gain", "bias"), List.of("y"), epsilon)
            .constant("bias", data.bias());
      case ADD_RMS_NORM -> new OnnxModel("com.microsoft", "SkipSimplifiedLayerNormalization",
          List.of("x", "residual", "gain"), List.of("y", "", "", "sum"), epsilon)
          .input("residual", rows, cols)
          .output("sum", rows, cols);
      default -> throw new AssertionError(w.operation());
    };
    return model.constant("gain", data.gain()).input("x", rows, cols).output("y", rows, cols);
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    try {
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      OrtSession.SessionOptions options = Resources.in(arena, new OrtSession.SessionOptions());
      options.setIntraOpNumThreads(threads());
      options.setInterOpNumThreads(1);
      OrtSession session = Resources.in(arena,
          environment.createSession(model(w).bytes(), options));
      FloatBuffer y = buffer(arena, new float[w.data().x().length]);
      Map<String, OnnxTensor> inputs = new HashMap<>();
      Map<String, OnnxTensor> outputs = new HashMap<>();
      inputs.put("x", tensor(w, arena, buffer(arena, w.data().x())));
      outputs.put("y", tensor(w, arena, y));
      if (w.operation() == Operation.ADD_RMS_NORM) {
        inputs.put("residual", tensor(w, arena, buffer(arena, w.data().residual())));
        outputs.put("sum", tensor(w, arena, buffer(arena, new float[y.capacity()])));
      }
      return new Task(() -> {
        try (OrtSession.Result _ = session.run(inputs, outputs)) {
          // The outputs are ours.
        } catch (OrtException e) {
          throw new IllegalStateException(e);
        }
      }, () -> {
        float[] all = new float[y.capacity()];
        y.get(0, all);
        return all;
      });
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  private static OnnxTensor tensor(Workload w, Arena arena, FloatBuffer buffer)
      throws OrtException {
    long[] shape = {w.rows(), w.cols()};
    return Resources.in(arena,
        OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), buffer, shape));
  }

  private static FloatBuffer buffer(Arena arena, float[] values) {
    return arena.allocate(4L * values.length, 64)
        .copyFrom(MemorySegment.ofArray(values))
        .asByteBuffer()
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }
}
