package dev.panorm.bench.baseline;

/**
 * The loops that inference engines on the JVM run today: one running sum, one element after the
 * other. The sum's order is fixed by the language, so the compiler cannot make vectors of it; of
 * the loops that add and scale it does.
 */
public final class PlainLoop implements Norms<float[]> {
  @Override
  public void rmsNorm(float[] x, float[] gain, float[] y, int at, int n, int span, float epsilon) {
    float sum = 0;
    for (int i = 0; i < span; i++) {
      sum += x[at + i] * x[at + i];
    }
    scale(x, gain, y, at, n, (float) (1 / Math.sqrt(sum / span + epsilon)));
  }

  static void scale(float[] x, float[] gain, float[] y, int at, int n, float inverse) {
    for (int i = 0; i < n; i++) {
      y[at + i] = x[at + i] * inverse * gain[i];
    }
  }

  @Override
  public void addRmsNorm(float[] x, float[] residual, float[] gain, float[] y, int at, int n,
      float epsilon) {
    add(x, residual, at, n);
    rmsNorm(residual, gain, y, at, n, n, epsilon);
  }

  static void add(float[] x, float[] residual, int at, int n) {
    for (int i = 0; i < n; i++) {
      residual[at + i] += x[at + i];
    }
  }

  @Override
  public void layerNorm(float[] x, float[] gain, float[] bias, float[] y, int at, int n,
      float epsilon) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[at + i];
    }
    float mean = sum / n;
    float squares = 0;
    for (int i = 0; i < n; i++) {
      float centred = x[at + i] - mean;
      squares += centred * centred;
    }
    float inverse = (float) (1 / Math.sqrt(squares / n + epsilon));
    for (int i = 0; i < n; i++) {
      y[at + i] = (x[at + i] - mean) * inverse * gain[i] + bias[i];
    }
  }
}
