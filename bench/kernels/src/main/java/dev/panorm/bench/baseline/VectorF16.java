package dev.panorm.bench.baseline;

/**
 * IEEE binary16. The Vector API of JDK 25 cannot convert it, but the compiler makes vectors of a
 * plain loop that does. So rows are widened into an array, which stays in the first-level cache,
 * computed by {@link VectorArrays}, and narrowed. One instance serves one thread.
 */
public final class VectorF16 implements Norms<short[]> {
  private final VectorArrays norms = new VectorArrays();
  private float[] x = {};
  private float[] residual = {};
  private float[] gain = {};
  private float[] bias = {};

  private void reserve(int n) {
    if (x.length < n) {
      x = new float[n];
      residual = new float[n];
      gain = new float[n];
      bias = new float[n];
    }
  }

  private static void widen(short[] from, int at, int n, float[] to) {
    for (int i = 0; i < n; i++) {
      to[i] = Float.float16ToFloat(from[at + i]);
    }
  }

  private static void narrow(float[] from, short[] to, int at, int n) {
    for (int i = 0; i < n; i++) {
      to[at + i] = Float.floatToFloat16(from[i]);
    }
  }

  @Override
  public void rmsNorm(short[] x, short[] gain, short[] y, int at, int n, int span, float epsilon) {
    reserve(n);
    widen(x, at, n, this.x);
    widen(gain, 0, n, this.gain);
    norms.rmsNorm(this.x, this.gain, this.x, 0, n, span, epsilon);
    narrow(this.x, y, at, n);
  }

  @Override
  public void addRmsNorm(short[] x, short[] residual, short[] gain, short[] y, int at, int n,
      float epsilon) {
    reserve(n);
    widen(x, at, n, this.x);
    widen(residual, at, n, this.residual);
    for (int i = 0; i < n; i++) {
      this.residual[i] += this.x[i];
    }
    narrow(this.residual, residual, at, n);
    rmsNorm(residual, gain, y, at, n, n, epsilon);
  }

  @Override
  public void layerNorm(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float epsilon) {
    reserve(n);
    widen(x, at, n, this.x);
    widen(gain, 0, n, this.gain);
    widen(bias, 0, n, this.bias);
    norms.layerNorm(this.x, this.gain, this.bias, this.x, 0, n, epsilon);
    narrow(this.x, y, at, n);
  }
}
