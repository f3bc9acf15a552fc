package dev.panorm.bench.baseline;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vector API on {@code float[]}, two loops a row, each in a method of its own that calls nothing but
 * the Vector API, as in {@link VectorArrays}. One instance serves one thread.
 */
public final class VectorGradients implements Gradients<float[]> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /** Of dy * gain, and of that with x - mean. */
  private float sum;
  private float dot;

  @Override
  public void rmsNorm(float[] dy, float[] x, float[] gain, float inverse, float[] dx, float[] dGain,
      int at, int n) {
    float share = dot(dy, x, gain, at, n) * inverse * inverse / n;
    spread(dy, x, gain, inverse, share, dx, dGain, at, n);
  }

  private static float dot(float[] dy, float[] x, float[] gain, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      a0 = FloatVector.fromArray(S, dy, at + i)
          .mul(FloatVector.fromArray(S, gain, i))
          .fma(FloatVector.fromArray(S, x, at + i), a0);
      a1 = FloatVector.fromArray(S, dy, at + i + L)
          .mul(FloatVector.fromArray(S, gain, i + L))
          .fma(FloatVector.fromArray(S, x, at + i + L), a1);
      a2 = FloatVector.fromArray(S, dy, at + i + 2 * L)
          .mul(FloatVector.fromArray(S, gain, i + 2 * L))
          .fma(FloatVector.fromArray(S, x, at + i + 2 * L), a2);
      a3 = FloatVector.fromArray(S, dy, at + i + 3 * L)
          .mul(FloatVector.fromArray(S, gain, i + 3 * L))
          .fma(FloatVector.fromArray(S, x, at + i + 3 * L), a3);
    }
    for (; i <= n - L; i += L) {
      a0 = FloatVector.fromArray(S, dy, at + i)
          .mul(FloatVector.fromArray(S, gain, i))
          .fma(FloatVector.fromArray(S, x, at + i), a0);
    }
    float dot = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      dot += dy[at + i] * gain[i] * x[at + i];
    }
    return dot;
  }

  private static void spread(float[] dy, float[] x, float[] gain, float inverse, float share,
      float[] dx, float[] dGain, int at, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector d = FloatVector.fromArray(S, dy, at + i);
      FloatVector v = FloatVector.fromArray(S, x, at + i);
      v.fma(minus, d.mul(FloatVector.fromArray(S, gain, i))).mul(scale).intoArray(dx, at + i);
      v.mul(scale).fma(d, FloatVector.fromArray(S, dGain, i)).intoArray(dGain, i);
    }
    for (; i < n; i++) {
      float d = dy[at + i];
      float v = x[at + i];
      dx[at + i] = inverse * (d * gain[i] - v * share);
      dGain[i] += d * (v * inverse);
    }
  }

  @Override
  public void layerNorm(float[] dy, float[] x, float[] gain, float mean, float inverse, float[] dx,
      float[] dGain, float[] dBias, int at, int n) {
    sums(dy, x, gain, mean, at, n);
    float offset = sum / n;
    float share = dot * inverse * inverse / n;
    spread(dy, x, gain, mean, inverse, offset, share, dx, dGain, dBias, at, n);
  }

  private void sums(float[] dy, float[] x, float[] gain, float mean, int at, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector g0 = FloatVector.fromArray(S, dy, at + i).mul(FloatVector.fromArray(S, gain, i));
      FloatVector g1 = FloatVector.fromArray(S, dy, at + i + L)
          .mul(FloatVector.fromArray(S, gain, i + L));
      FloatVector g2 = FloatVector.fromArray(S, dy, at + i + 2 * L)
          .mul(FloatVector.fromArray(S, gain, i + 2 * L));
      FloatVector g3 = FloatVector.fromArray(S, dy, at + i + 3 * L)
          .mul(FloatVector.fromArray(S, gain, i + 3 * L));
      a0 = a0.add(g0);
      a1 = a1.add(g1);
      a2 = a2.add(g2);
      a3 = a3.add(g3);
      b0 = FloatVector.fromArray(S, x, at + i).sub(centre).fma(g0, b0);
      b1 = FloatVector.fromArray(S, x, at + i + L).sub(centre).fma(g1, b1);
      b2 = FloatVector.fromArray(S, x, at + i + 2 * L).sub(centre).fma(g2, b2);
      b3 = FloatVector.fromArray(S, x, at + i + 3 * L).sub(centre).fma(g3, b3);
    }
    for (; i <= n - L; i += L) {
      FloatVector g0 = FloatVector.fromArray(S, dy, at + i).mul(FloatVector.fromArray(S, gain, i));
      a0 = a0.add(g0);
      b0 = FloatVector.fromArray(S, x, at + i).sub(centre).fma(g0, b0);
    }
    sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    dot = b0.add(b2).add(b1.add(b3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float g = dy[at + i] * gain[i];
      sum += g;
      dot += g * (x[at + i] - mean);
    }
  }

  private static void spread(float[] dy, float[] x, float[] gain, float mean, float inverse,
      float offset, float share, float[] dx, float[] dGain, float[] dBias, int at, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    FloatVector below = FloatVector.broadcast(S, offset);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector d = FloatVector.fromArray(S, dy, at + i);
      FloatVector v = FloatVector.fromArray(S, x, at + i).sub(centre);
      v.fma(minus, d.mul(FloatVector.fromArray(S, gain, i)).sub(below))
          .mul(scale)
          .intoArray(dx, at + i);
      v.mul(scale).fma(d, FloatVector.fromArray(S, dGain, i)).intoArray(dGain, i);
      FloatVector.fromArray(S, dBias, i).add(d).intoArray(dBias, i);
    }
    for (; i < n; i++) {
      float d = dy[at + i];
      float v = x[at + i] - mean;
      dx[at + i] = inverse * (d * gain[i] - offset - v * share);
      dGain[i] += d * (v * inverse);
      dBias[i] += d;
    }
  }
}
