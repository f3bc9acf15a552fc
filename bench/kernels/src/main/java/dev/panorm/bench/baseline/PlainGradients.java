package dev.panorm.bench.baseline;

import java.util.Arrays;

/**
 * Plain loops; those without a sum the compiler makes vectors of. As in {@link PlainLoop} it does
 * so where all arrays begin at 0, so other rows are brought there. One instance serves one thread.
 */
public final class PlainGradients implements Gradients<float[]> {
  private float[] dyRow = {};
  private float[] xRow = {};
  private float[] dxRow = {};

  private void take(float[] dy, float[] x, int at, int n) {
    if (xRow.length < n) {
      dyRow = new float[n];
      xRow = new float[n];
      dxRow = new float[n];
    }
    System.arraycopy(dy, at, dyRow, 0, n);
    System.arraycopy(x, at, xRow, 0, n);
  }

  @Override
  public void rmsNorm(float[] dy, float[] x, float[] gain, float[] inverse, float[] dx,
      float[] dGain, int n) {
    Arrays.fill(dGain, 0);
    rmsNorm(dy, x, gain, inverse[0], dx, dGain, n);
    for (int r = 1; r < inverse.length; r++) {
      take(dy, x, r * n, n);
      rmsNorm(dyRow, xRow, gain, inverse[r], dxRow, dGain, n);
      System.arraycopy(dxRow, 0, dx, r * n, n);
    }
  }

  private static void rmsNorm(float[] dy, float[] x, float[] gain, float inverse, float[] dx,
      float[] dGain, int n) {
    float dot = 0;
    for (int i = 0; i < n; i++) {
      dot += dy[i] * gain[i] * x[i];
    }
    float share = dot * inverse * inverse / n;
    for (int i = 0; i < n; i++) {
      dx[i] = inverse * (dy[i] * gain[i] - x[i] * share);
    }
    for (int i = 0; i < n; i++) {
      dGain[i] += dy[i] * (x[i] * inverse);
    }
  }

  @Override
  public void layerNorm(float[] dy, float[] x, float[] gain, float[] mean, float[] inverse,
      float[] dx, float[] dGain, float[] dBias, int n) {
    Arrays.fill(dGain, 0);
    Arrays.fill(dBias, 0);
    layerNorm(dy, x, gain, mean[0], inverse[0], dx, dGain, dBias, n);
    for (int r = 1; r < inverse.length; r++) {
      take(dy, x, r * n, n);
      layerNorm(dyRow, xRow, gain, mean[r], inverse[r], dxRow, dGain, dBias, n);
      System.arraycopy(dxRow, 0, dx, r * n, n);
    }
  }

  private static void layerNorm(float[] dy, float[] x, float[] gain, float mean, float inverse,
      float[] dx, float[] dGain, float[] dBias, int n) {
    float sum = 0;
    float dot = 0;
    for (int i = 0; i < n; i++) {
      float g = dy[i] * gain[i];
      sum += g;
      dot += g * (x[i] - mean);
    }
    float offset = sum / n;
    float share = dot * inverse * inverse / n;
    for (int i = 0; i < n; i++) {
      dx[i] = inverse * (dy[i] * gain[i] - offset - (x[i] - mean) * share);
    }
    for (int i = 0; i < n; i++) {
      dGain[i] += dy[i] * ((x[i] - mean) * inverse);
    }
    for (int i = 0; i < n; i++) {
      dBias[i] += dy[i];
    }
  }
}
