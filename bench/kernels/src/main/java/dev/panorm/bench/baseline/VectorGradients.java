package dev.panorm.bench.baseline;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vector API on {@code float[]}, two loops a row, each in a method of its own that calls nothing but
 * the Vector API, as in {@link VectorArrays}. The first takes the sums and what belongs to a column,
 * of which the first row is stored and the others are added. One instance serves one thread.
 */
public final class VectorGradients implements Gradients<float[]> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /** Of dy * gain, and of that with x - mean. */
  private float sum;
  private float dot;

  @Override
  public void rmsNorm(float[] dy, float[] x, float[] gain, float[] inverse, float[] dx,
      float[] dGain, int n) {
    for (int r = 0; r < inverse.length; r++) {
      float dot = r == 0
          ? firstDot(dy, x, gain, inverse[r], dGain, n)
          : dot(dy, x, gain, inverse[r], dGain, r * n, n);
      spread(dy, x, gain, inverse[r], dot * inverse[r] * inverse[r] / n, dx, r * n, n);
    }
  }

  private static float firstDot(float[] dy, float[] x, float[] gain, float inverse, float[] dGain,
      int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector p0 = FloatVector.fromArray(S, dy, i).mul(FloatVector.fromArray(S, x, i));
      FloatVector p1 = FloatVector.fromArray(S, dy, i + L).mul(FloatVector.fromArray(S, x, i + L));
      FloatVector p2 = FloatVector.fromArray(S, dy, i + 2 * L)
          .mul(FloatVector.fromArray(S, x, i + 2 * L));
      FloatVector p3 = FloatVector.fromArray(S, dy, i + 3 * L)
          .mul(FloatVector.fromArray(S, x, i + 3 * L));
      a0 = p0.fma(FloatVector.fromArray(S, gain, i), a0);
      a1 = p1.fma(FloatVector.fromArray(S, gain, i + L), a1);
      a2 = p2.fma(FloatVector.fromArray(S, gain, i + 2 * L), a2);
      a3 = p3.fma(FloatVector.fromArray(S, gain, i + 3 * L), a3);
      p0.mul(scale).intoArray(dGain, i);
      p1.mul(scale).intoArray(dGain, i + L);
      p2.mul(scale).intoArray(dGain, i + 2 * L);
      p3.mul(scale).intoArray(dGain, i + 3 * L);
    }
    for (; i <= n - L; i += L) {
      FloatVector p0 = FloatVector.fromArray(S, dy, i).mul(FloatVector.fromArray(S, x, i));
      a0 = p0.fma(FloatVector.fromArray(S, gain, i), a0);
      p0.mul(scale).intoArray(dGain, i);
    }
    float dot = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float p = dy[i] * x[i];
      dot += p * gain[i];
      dGain[i] = p * inverse;
    }
    return dot;
  }

  private static float dot(float[] dy, float[] x, float[] gain, float inverse, float[] dGain,
      int at, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector p0 = FloatVector.fromArray(S, dy, at + i)
          .mul(FloatVector.fromArray(S, x, at + i));
      FloatVector p1 = FloatVector.fromArray(S, dy, at + i + L)
          .mul(FloatVector.fromArray(S, x, at + i + L));
      FloatVector p2 = FloatVector.fromArray(S, dy, at + i + 2 * L)
          .mul(FloatVector.fromArray(S, x, at + i + 2 * L));
      FloatVector p3 = FloatVector.fromArray(S, dy, at + i + 3 * L)
          .mul(FloatVector.fromArray(S, x, at + i + 3 * L));
      a0 = p0.fma(FloatVector.fromArray(S, gain, i), a0);
      a1 = p1.fma(FloatVector.fromArray(S, gain, i + L), a1);
      a2 = p2.fma(FloatVector.fromArray(S, gain, i + 2 * L), a2);
      a3 = p3.fma(FloatVector.fromArray(S, gain, i + 3 * L), a3);
      p0 = p0.fma(scale, FloatVector.fromArray(S, dGain, i));
      p1 = p1.fma(scale, FloatVector.fromArray(S, dGain, i + L));
      p2 = p2.fma(scale, FloatVector.fromArray(S, dGain, i + 2 * L));
      p3 = p3.fma(scale, FloatVector.fromArray(S, dGain, i + 3 * L));
      p0.intoArray(dGain, i);
      p1.intoArray(dGain, i + L);
      p2.intoArray(dGain, i + 2 * L);
      p3.intoArray(dGain, i + 3 * L);
    }
    for (; i <= n - L; i += L) {
      FloatVector p0 = FloatVector.fromArray(S, dy, at + i)
          .mul(FloatVector.fromArray(S, x, at + i));
      a0 = p0.fma(FloatVector.fromArray(S, gain, i), a0);
      p0.fma(scale, FloatVector.fromArray(S, dGain, i)).intoArray(dGain, i);
    }
    float dot = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float p = dy[at + i] * x[at + i];
      dot += p * gain[i];
      dGain[i] += p * inverse;
    }
    return dot;
  }

  private static void spread(float[] dy, float[] x, float[] gain, float inverse, float share,
      float[] dx, int at, int n) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector minus = FloatVector.broadcast(S, -share);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector d = FloatVector.fromArray(S, dy, at + i);
      FloatVector v = FloatVector.fromArray(S, x, at + i);
      v.fma(minus, d.mul(FloatVector.fromArray(S, gain, i))).mul(scale).intoArray(dx, at + i);
    }
    for (; i < n; i++) {
      dx[at + i] = inverse * (dy[at + i] * gain[i] - x[at + i] * share);
    }
  }

  @Override
  public void layerNorm(float[] dy, float[] x, float[] gain, float[] mean, float[] inverse,
      float[] dx, float[] dGain, float[] dBias, int n) {
    for (int r = 0; r < inverse.length; r++) {
      if (r == 0) {
        firstSums(dy, x, gain, mean[r], inverse[r], dGain, dBias, n);
      } else {
        sums(dy, x, gain, mean[r], inverse[r], dGain, dBias, r * n, n);
      }
      float share = dot * inverse[r] * inverse[r] / n;
      spread(dy, x, gain, mean[r], inverse[r], sum / n, share, dx, r * n, n);
    }
  }

  private void firstSums(float[] dy, float[] x, float[] gain, float mean, float inverse,
      float[] dGain, float[] dBias, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, b0 = a0, b1 = a0;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      FloatVector d0 = FloatVector.fromArray(S, dy, i);
      FloatVector d1 = FloatVector.fromArray(S, dy, i + L);
      FloatVector v0 = FloatVector.fromArray(S, x, i).sub(centre);
      FloatVector v1 = FloatVector.fromArray(S, x, i + L).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromArray(S, gain, i));
      FloatVector g1 = d1.mul(FloatVector.fromArray(S, gain, i + L));
      a0 = a0.add(g0);
      a1 = a1.add(g1);
      b0 = v0.fma(g0, b0);
      b1 = v1.fma(g1, b1);
      v0 = v0.mul(scale);
      v1 = v1.mul(scale);
      v0.mul(d0).intoArray(dGain, i);
      v1.mul(d1).intoArray(dGain, i + L);
      d0.intoArray(dBias, i);
      d1.intoArray(dBias, i + L);
    }
    for (; i <= n - L; i += L) {
      FloatVector d0 = FloatVector.fromArray(S, dy, i);
      FloatVector v0 = FloatVector.fromArray(S, x, i).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromArray(S, gain, i));
      a0 = a0.add(g0);
      b0 = v0.fma(g0, b0);
      v0 = v0.mul(scale);
      v0.mul(d0).intoArray(dGain, i);
      d0.intoArray(dBias, i);
    }
    sum = a0.add(a1).reduceLanes(VectorOperators.ADD);
    dot = b0.add(b1).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float d = dy[i];
      float v = x[i] - mean;
      sum += d * gain[i];
      dot += d * gain[i] * v;
      dGain[i] = d * (v * inverse);
      dBias[i] = d;
    }
  }

  private void sums(float[] dy, float[] x, float[] gain, float mean, float inverse, float[] dGain,
      float[] dBias, int at, int n) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, b0 = a0, b1 = a0;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      FloatVector d0 = FloatVector.fromArray(S, dy, at + i);
      FloatVector d1 = FloatVector.fromArray(S, dy, at + i + L);
      FloatVector v0 = FloatVector.fromArray(S, x, at + i).sub(centre);
      FloatVector v1 = FloatVector.fromArray(S, x, at + i + L).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromArray(S, gain, i));
      FloatVector g1 = d1.mul(FloatVector.fromArray(S, gain, i + L));
      a0 = a0.add(g0);
      a1 = a1.add(g1);
      b0 = v0.fma(g0, b0);
      b1 = v1.fma(g1, b1);
      v0 = v0.mul(scale);
      v1 = v1.mul(scale);
      v0.fma(d0, FloatVector.fromArray(S, dGain, i)).intoArray(dGain, i);
      v1.fma(d1, FloatVector.fromArray(S, dGain, i + L)).intoArray(dGain, i + L);
      FloatVector.fromArray(S, dBias, i).add(d0).intoArray(dBias, i);
      FloatVector.fromArray(S, dBias, i + L).add(d1).intoArray(dBias, i + L);
    }
    for (; i <= n - L; i += L) {
      FloatVector d0 = FloatVector.fromArray(S, dy, at + i);
      FloatVector v0 = FloatVector.fromArray(S, x, at + i).sub(centre);
      FloatVector g0 = d0.mul(FloatVector.fromArray(S, gain, i));
      a0 = a0.add(g0);
      b0 = v0.fma(g0, b0);
      v0 = v0.mul(scale);
      v0.fma(d0, FloatVector.fromArray(S, dGain, i)).intoArray(dGain, i);
      FloatVector.fromArray(S, dBias, i).add(d0).intoArray(dBias, i);
    }
    sum = a0.add(a1).reduceLanes(VectorOperators.ADD);
    dot = b0.add(b1).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      float d = dy[at + i];
      float v = x[at + i] - mean;
      sum += d * gain[i];
      dot += d * gain[i] * v;
      dGain[i] += d * (v * inverse);
      dBias[i] += d;
    }
  }

  private static void spread(float[] dy, float[] x, float[] gain, float mean, float inverse,
      float offset, float share, float[] dx, int at, int n) {
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
    }
    for (; i < n; i++) {
      dx[at + i] = inverse * (dy[at + i] * gain[i] - offset - (x[at + i] - mean) * share);
    }
  }
}
