package dev.panorm.bench.peers;

import com.github.tjake.jlama.math.ActivationFunction;
import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.DistributedContext;
import com.github.tjake.jlama.model.LayerNorm;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.model.RMSNorm;
import com.github.tjake.jlama.model.TransformerBlock;
import com.github.tjake.jlama.model.functions.EmbedInput;
import com.github.tjake.jlama.model.functions.SampleOutput;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.TensorInfo;
import com.github.tjake.jlama.safetensors.WeightLoader;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.FloatBufferTensor;
import dev.panorm.bench.Contender;
import dev.panorm.bench.Format;
import dev.panorm.bench.Operation;
import dev.panorm.bench.Problem;
import dev.panorm.bench.Task;
import dev.panorm.bench.Workload;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Jlama's own norms, on its own tensors, in a model that has nothing else. Results come from its
 * cache of tensors and go back there.
 */
@SuppressWarnings("rawtypes") // Jlama's own way with its tensors.
public final class Jlama implements Contender {
  @Override
  public String name() {
    return "jlama";
  }

  @Override
  public boolean solves(Problem problem) {
    return problem.format() == Format.F32 && (problem.operation() == Operation.RMS_NORM
        || problem.operation() == Operation.LAYER_NORM);
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    AbstractModel model = new NormsOnly(w.cols());
    AbstractTensor x = tensor(w.data().x(), w.rows(), w.cols());
    AbstractTensor gain = tensor(w.data().gain(), 1, w.cols());
    LayerNorm norm = w.operation() == Operation.RMS_NORM
        ? new RMSNorm(model, gain)
        : new LayerNorm(model, tensor(w.data().bias(), 1, w.cols()), gain);
    AbstractTensor[] y = new AbstractTensor[1];
    return new Task(() -> {
      if (y[0] != null) {
        y[0].close();
      }
      y[0] = norm.forward(x);
    }, () -> {
      float[] all = new float[w.rows() * w.cols()];
      for (int i = 0; i < all.length; i++) {
        all[i] = y[0].get(i / w.cols(), i % w.cols());
      }
      return all;
    });
  }

  private static AbstractTensor tensor(float[] values, int rows, int cols) {
    AbstractTensor tensor = new FloatBufferTensor(rows, cols);
    for (int i = 0; i < values.length; i++) {
      tensor.set(values[i], i / cols, i % cols);
    }
    return tensor;
  }

  private static final class NormsOnly extends AbstractModel {
    NormsOnly(int cols) {
      super(InferenceType.FORWARD_PASS,
          new Config(1, cols, cols, 1, 1, 1, Workload.EPSILON, 1, 0, List.of(0),
              ActivationFunction.Type.SILU, null, null),
          new NoWeights(), null, DType.F32, DType.F32, Optional.empty());
    }

    @Override
    protected EmbedInput loadInputWeights() {
      return null;
    }

    @Override
    protected TransformerBlock[] loadTransformerBlockWeights() {
      return null;
    }

    @Override
    protected SampleOutput loadOutputWeights() {
      return null;
    }

    @Override
    public ModelSupport.ModelType getModelType() {
      return null;
    }
  }

  private static final class NoWeights implements WeightLoader {
    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Map<String, TensorInfo> tensorInfoMap() {
      return Map.of();
    }

    @Override
    public AbstractTensor load(String name, DistributedContext context, boolean sparseRows,
        boolean sparseColumns) {
      throw new UnsupportedOperationException(name);
    }

    @Override
    public DType getModelDType() {
      return DType.F32;
    }

    @Override
    public void close() {}
  }
}
