package dev.panorm.bench.baseline;

/** Plain loops; those without a sum the compiler makes vectors of. */
public final class PlainGradients implements Gradients {
  @Override
  public void rmsNorm(float[] dy, float[] x, float[] gain, float inverse, float[] dx, float[] dGain,
      int at, int n) {
    float dot = 0;
    for (int i = 0; i < n; i++) {
      dot += dy[at + i] * gain[i] * x[at + i];
    }
    float share = dot * inverse * inverse / n;
    for (int i = 0; i < n; i++) {
      dx[at + i] = inverse * (dy[at + i] * gain[i] - x[at + i] * share);
    }
    for (int i = 0; i < n; i++) {
      dGain[i] += dy[at + i] * (x[at + i] * inverse);
    }
  }

  @Override
  public void layerNorm(float[] dy, float[] x, float[] gain, float mean, float inverse, float[] dx,
      float[] dGain, float[] dBias, int at, int n) {
    float sum = 0;
    float dot = 0;
    for (int i = 0; i < n; i++) {
      float g = dy[at + i] * gain[i];
      sum += g;
      dot += g * (x[at + i] - mean);
    }
    float offset = sum / n;
    float share = dot * inverse * inverse / n;
    for (int i = 0; i < n; i++) {
      dx[at + i] = inverse * (dy[at + i] * gain[i] - offset - (x[at + i] - mean) * share);
    }
    for (int i = 0; i < n; i++) {
      dGain[i] += dy[at + i] * ((x[at + i] - mean) * inverse);
    }
    for (int i = 0; i < n; i++) {
      dBias[i] += dy[at + i];
    }
  }
}
