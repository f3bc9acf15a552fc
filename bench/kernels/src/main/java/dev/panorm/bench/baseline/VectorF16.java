package dev.panorm.bench.baseline;

/**
 * IEEE binary16. The Vector API of JDK 25 cannot convert it, but the compiler makes vectors of a
 * plain loop that does, if all its arrays are read from the same element on. So a row is widened
 * into an array, which stays in the first-level cache, summed by {@link VectorArrays}, and
 * computed and narrowed in one loop. One instance serves one thread.
 */
public final class VectorF16 implements Norms<short[]> {
  private float[] row = {};
  private short[] result = {};

  private void widen(short[] x, int at, int n) {
    if (row.length < n) {
      row = new float[n];
      result = new short[n];
    }
    widen(x, row, at, n);
  }

  private static void widen(short[] x, float[] row, int at, int n) {
    for (int i = 0; i < n; i++) {
      row[i] = Float.float16ToFloat(x[at + i]);
    }
  }

  @Override
  public void rmsNorm(short[] x, short[] gain, short[] y, int at, int n, int span, float epsilon) {
    widen(x, at, n);
    float inverse = VectorArrays.inverse(VectorArrays.squares(row, 0, span), span, epsilon);
    if (at == 0) {
      scale(row, gain, y, n, inverse);
    } else {
      scale(row, gain, result, n, inverse);
      System.arraycopy(result, 0, y, at, n);
    }
  }

  private static void scale(float[] x, short[] gain, short[] y, int n, float inverse) {
    for (int i = 0; i < n; i++) {
      y[i] = Float.floatToFloat16(x[i] * inverse * Float.float16ToFloat(gain[i]));
    }
  }

  @Override
  public void addRmsNorm(short[] x, short[] residual, short[] gain, short[] y, int at, int n,
      float epsilon) {
    for (int i = 0; i < n; i++) {
      residual[at + i] = Float
          .floatToFloat16(Float.float16ToFloat(residual[at + i]) + Float.float16ToFloat(x[at + i]));
    }
    rmsNorm(residual, gain, y, at, n, n, epsilon);
  }

  @Override
  public void layerNorm(short[] x, short[] gain, short[] bias, short[] y, int at, int n,
      float epsilon) {
    widen(x, at, n);
    float mean = VectorArrays.sum(row, 0, n) / n;
    float inverse = VectorArrays.inverse(VectorArrays.centredSquares(row, 0, n, mean), n, epsilon);
    if (at == 0) {
      affine(row, gain, bias, y, n, mean, inverse);
    } else {
      affine(row, gain, bias, result, n, mean, inverse);
      System.arraycopy(result, 0, y, at, n);
    }
  }

  private static void affine(float[] x, short[] gain, short[] bias, short[] y, int n, float mean,
      float inverse) {
    for (int i = 0; i < n; i++) {
      y[i] = Float.floatToFloat16(
          (x[i] - mean) * inverse * Float.float16ToFloat(gain[i]) + Float.float16ToFloat(bias[i]));
    }
  }
}
