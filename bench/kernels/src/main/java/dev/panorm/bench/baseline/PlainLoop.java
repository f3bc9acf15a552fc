package dev.panorm.bench.baseline;

/**
 * The loops that inference engines on the JVM run today: one running sum, one element after the
 * other. The sum's order is fixed by the language, so the compiler cannot make vectors of it; of
 * the loops that add and scale it does.
 *
 * <p>It does only if all arrays are read from the same element on: it cannot tell whether y[at + i]
 * is gain[i + 1], unless at is 0. So a row that begins elsewhere is brought to 0, which takes less
 * time than that loses. One instance serves one thread.
 */
public final class PlainLoop implements Norms<float[]> {
  private float[] row = {};

  private void take(float[] x, int at, int n) {
    if (row.length < n) {
      row = new float[n];
    }
    System.arraycopy(x, at, row, 0, n);
  }

  @Override
  public void rmsNorm(float[] x, float[] gain, float[] y, int at, int n, int span, float epsilon) {
    if (at == 0) {
      rmsNorm(x, gain, y, n, span, epsilon);
    } else {
      take(x, at, n);
      rmsNorm(row, gain, row, n, span, epsilon);
      System.arraycopy(row, 0, y, at, n);
    }
  }

  private static void rmsNorm(float[] x, float[] gain, float[] y, int n, int span, float epsilon) {
    float sum = 0;
    for (int i = 0; i < span; i++) {
      sum += x[i] * x[i];
    }
    float inverse = (float) (1 / Math.sqrt(sum / span + epsilon));
    for (int i = 0; i < n; i++) {
      y[i] = x[i] * inverse * gain[i];
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
    if (at == 0) {
      layerNorm(x, gain, bias, y, n, epsilon);
    } else {
      take(x, at, n);
      layerNorm(row, gain, bias, row, n, epsilon);
      System.arraycopy(row, 0, y, at, n);
    }
  }

  private static void layerNorm(float[] x, float[] gain, float[] bias, float[] y, int n,
      float epsilon) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[i];
    }
    float mean = sum / n;
    float squares = 0;
    for (int i = 0; i < n; i++) {
      float centred = x[i] - mean;
      squares += centred * centred;
    }
    float inverse = (float) (1 / Math.sqrt(squares / n + epsilon));
    for (int i = 0; i < n; i++) {
      y[i] = (x[i] - mean) * inverse * gain[i] + bias[i];
    }
  }
}
