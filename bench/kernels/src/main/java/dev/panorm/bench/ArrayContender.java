package dev.panorm.bench;

import dev.panorm.DType;
import dev.panorm.bench.baseline.ArrayNorms;
import java.lang.foreign.Arena;

/** Java on {@code float[]}. */
record ArrayContender(String name, ArrayNorms norms) implements Contender {
  @Override
  public boolean supports(Operation operation, DType type) {
    return type == DType.F32;
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    float[] x = w.data().x().clone();
    float[] residual = w.data().residual().clone();
    float[] gain = w.data().gain().clone();
    float[] bias = w.data().bias().clone();
    float[] y = new float[x.length];
    int n = w.cols();
    int span = w.operation().span(n);
    return new Task() {
      @Override
      public void run() {
        for (int at = 0; at < x.length; at += n) {
          switch (w.operation()) {
            case RMS_NORM, PARTIAL_RMS_NORM ->
              norms.rmsNorm(x, gain, y, at, n, span, Workload.EPSILON);
            case ADD_RMS_NORM -> norms.addRmsNorm(x, residual, gain, y, at, n, Workload.EPSILON);
            case LAYER_NORM -> norms.layerNorm(x, gain, bias, y, at, n, Workload.EPSILON);
          }
        }
      }

      @Override
      public float[] result() {
        return y.clone();
      }
    };
  }
}
