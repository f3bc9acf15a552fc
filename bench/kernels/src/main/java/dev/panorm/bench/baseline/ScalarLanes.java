package dev.panorm.bench.baseline;

/**
 * The best that plain Java does in every JVM: eight running sums, so that the additions need not
 * wait for each other, and fused multiply-add. (Sixteen sums are no faster. Sums in an array, of
 * which C2 makes vectors, take 0.7 to 0.9 of the time of one wide row, but in some JVMs twice that
 * of a batch.)
 *
 * <p>As in {@link PlainLoop} the other loops become vectors only if all arrays are read from the same
 * element on: the gain is brought to y's row, or x's to 0. One instance serves one thread.
 */
public final class ScalarLanes implements Norms<float[]> {
  private float[] row = {};

  @Override
  public void rmsNorm(float[] x, float[] gain, float[] y, int at, int n, int span, float epsilon) {
    scale(x, gain, y, at, n, Norms.inverse(squares(x, at, span), span, epsilon));
  }

  private static void scale(float[] x, float[] gain, float[] y, int at, int n, float inverse) {
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

  private static float squares(float[] x, int at, int n) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    int end = at + n;
    int i = at;
    for (; i <= end - 8; i += 8) {
      float x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
      float x4 = x[i + 4], x5 = x[i + 5], x6 = x[i + 6], x7 = x[i + 7];
      s0 = Math.fma(x0, x0, s0);
      s1 = Math.fma(x1, x1, s1);
      s2 = Math.fma(x2, x2, s2);
      s3 = Math.fma(x3, x3, s3);
      s4 = Math.fma(x4, x4, s4);
      s5 = Math.fma(x5, x5, s5);
      s6 = Math.fma(x6, x6, s6);
      s7 = Math.fma(x7, x7, s7);
    }
    for (; i < end; i++) {
      s0 = Math.fma(x[i], x[i], s0);
    }
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7));
  }

  private static float centredSquares(float[] x, int at, int n, float mean) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    int end = at + n;
    int i = at;
    for (; i <= end - 8; i += 8) {
      float x0 = x[i] - mean, x1 = x[i + 1] - mean, x2 = x[i + 2] - mean, x3 = x[i + 3] - mean;
      float x4 = x[i + 4] - mean, x5 = x[i + 5] - mean, x6 = x[i + 6] - mean, x7 = x[i + 7] - mean;
      s0 = Math.fma(x0, x0, s0);
      s1 = Math.fma(x1, x1, s1);
      s2 = Math.fma(x2, x2, s2);
      s3 = Math.fma(x3, x3, s3);
      s4 = Math.fma(x4, x4, s4);
      s5 = Math.fma(x5, x5, s5);
      s6 = Math.fma(x6, x6, s6);
      s7 = Math.fma(x7, x7, s7);
    }
    for (; i < end; i++) {
      s0 = Math.fma(x[i] - mean, x[i] - mean, s0);
    }
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7));
  }

  private static float sum(float[] x, int at, int n) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    int end = at + n;
    int i = at;
    for (; i <= end - 8; i += 8) {
      s0 += x[i];
      s1 += x[i + 1];
      s2 += x[i + 2];
      s3 += x[i + 3];
      s4 += x[i + 4];
      s5 += x[i + 5];
      s6 += x[i + 6];
      s7 += x[i + 7];
    }
    for (; i < end; i++) {
      s0 += x[i];
    }
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7));
  }

  @Override
  public void addRmsNorm(float[] x, float[] residual, float[] gain, float[] y, int at, int n,
      float epsilon) {
    PlainLoop.add(x, residual, at, n);
    rmsNorm(residual, gain, y, at, n, n, epsilon);
  }

  @Override
  public void layerNorm(float[] x, float[] gain, float[] bias, float[] y, int at, int n,
      float epsilon) {
    float mean = sum(x, at, n) / n;
    float inverse = Norms.inverse(centredSquares(x, at, n, mean), n, epsilon);
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
