package dev.panorm.bench.baseline;

/**
 * The loops that inference engines on the JVM run today: one running sum, one element after the
 * other. The sum's order is fixed by the language, so the compiler cannot make vectors of it; of
 * the loops that add and scale it does.
 *
 * <p>It does only if all arrays are read from the same element on: it cannot tell whether y[at + i]
 * is gain[i + 1], unless at is 0. So for a row that begins elsewhere they are brought together. One
 * instance serves one thread.
 */
public final class PlainLoop implements Norms<float[]> {
  private float[] row = {};

  @Override
  public void rmsNorm(float[] x, float[] gain, float[] y, int at, int n, int span, float epsilon) {
    float sum = 0;
    for (int i = 0; i < span; i++) {
      sum += x[at + i] * x[at + i];
    }
    scale(x, gain, y, at, n, (float) (1 / Math.sqrt(sum / span + epsilon)));
  }

  static void scale(float[] x, float[] gain, float[] y, int at, int n, float inverse) {
    if (at == 0) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] * inverse * gain[i];
      }
    } else {
      System.arraycopy(gain, 0, y, at, n);
      for (int i = 0; i < n; i++) {
        y[at + i] = x[at + i] * inverse * y[at + i];
      }
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
    affine(x, gain, bias, y, at, n, mean, (float) (1 / Math.sqrt(squares / n + epsilon)));
  }

  void affine(float[] x, float[] gain, float[] bias, float[] y, int at, int n, float mean,
      float inverse) {
    if (at == 0) {
      affine(x, gain, bias, y, n, mean, inverse);
    } else {
      if (row.length < n) {
        row = new float[n];
      }
      System.arraycopy(x, at, row, 0, n);
      affine(row, gain, bias, row, n, mean, inverse);
      System.arraycopy(row, 0, y, at, n);
    }
  }

  private static void affine(float[] x, float[] gain, float[] bias, float[] y, int n, float mean,
      float inverse) {
    for (int i = 0; i < n; i++) {
      y[i] = (x[i] - mean) * inverse * gain[i] + bias[i];
    }
  }
}
