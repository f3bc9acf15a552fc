package dev.panorm.bench;

import dev.panorm.DType;
import dev.panorm.LayerNorm;
import dev.panorm.RmsNorm;
import dev.panorm.Tensor;
import java.lang.foreign.Arena;

/** The library through its public API, on off-heap tensors or on Java arrays. */
record NativeContender(String name, boolean heap) implements Contender {

  @Override
  public Task bind(Workload w, Arena arena) {
    Tensor x = tensor(w, arena, w.data().x(), w.rows());
    Tensor gain = tensor(w, arena, w.data().gain(), 1);
    Tensor y = tensor(w, arena, new float[w.rows() * w.cols()], w.rows());
    if (w.operation() == Operation.LAYER_NORM) {
      Tensor bias = tensor(w, arena, w.data().bias(), 1);
      LayerNorm norm = LayerNorm.builder(gain).bias(bias).epsilon(Workload.EPSILON).build();
      return new Bound(y) {
        @Override
        public void run() {
          norm.forward(x, y);
        }
      };
    }
    RmsNorm.Builder builder = RmsNorm.builder(gain).epsilon(Workload.EPSILON);
    if (w.operation() == Operation.PARTIAL_RMS_NORM) {
      builder.partial(Operation.PARTIAL);
    }
    RmsNorm norm = builder.build();
    if (w.operation() == Operation.ADD_RMS_NORM) {
      Tensor residual = tensor(w, arena, w.data().residual(), w.rows());
      return new Bound(y) {
        @Override
        public void run() {
          norm.addForward(x, residual, y);
        }
      };
    }
    return new Bound(y) {
      @Override
      public void run() {
        norm.forward(x, y);
      }
    };
  }

  private Tensor tensor(Workload w, Arena arena, float[] values, int rows) {
    if (heap) {
      return Tensor.ofArray(values.clone(), 0, rows, w.cols());
    }
    Tensor tensor = Tensor.allocate(arena, DType.F32, rows, w.cols());
    for (int i = 0; i < values.length; i++) {
      tensor.set(i / w.cols(), i % w.cols(), values[i]);
    }
    return tensor;
  }

  private abstract static class Bound implements Task {
    private final Tensor y;

    Bound(Tensor y) {
      this.y = y;
    }

    @Override
    public float[] result() {
      float[] result = new float[Math.toIntExact(y.rows() * y.cols())];
      for (int i = 0; i < result.length; i++) {
        result[i] = (float) y.get(i / y.cols(), i % y.cols());
      }
      return result;
    }
  }
}
