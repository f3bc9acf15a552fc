package dev.panorm.bench.baseline;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The best Vector API version on {@code float[]}: eight accumulators of the machine's widest
 * vectors, fused multiply-add, the rest by four vectors, by one, and by element. Loops that sum are
 * unrolled by hand; where nothing is summed that is slower than what the compiler unrolls itself.
 *
 * <p>Every loop is in a method of its own. With two in one method the compiler gives up inlining
 * half way, keeps the accumulators as objects, and the whole is two to six times slower. And a loop
 * calls nothing but the Vector API: a helper of ours may have been compiled by itself before, is
 * then not inlined where it seemed to be called seldom, and every vector it takes or returns
 * becomes an object: in one JVM of three ten times slower.
 */
public final class VectorArrays implements Norms<float[]> {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  @Override
  public void rmsNorm(float[] x, float[] gain, float[] y, int at, int n, int span, float epsilon) {
    float inverse = Norms.inverse(squares(x, at, span), span, epsilon);
    scale(x, gain, y, at, n, inverse);
  }

  static float squares(float[] x, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 8 * L; i += 8 * L) {
      FloatVector x0 = FloatVector.fromArray(S, x, i);
      FloatVector x1 = FloatVector.fromArray(S, x, i + L);
      FloatVector x2 = FloatVector.fromArray(S, x, i + 2 * L);
      FloatVector x3 = FloatVector.fromArray(S, x, i + 3 * L);
      FloatVector x4 = FloatVector.fromArray(S, x, i + 4 * L);
      FloatVector x5 = FloatVector.fromArray(S, x, i + 5 * L);
      FloatVector x6 = FloatVector.fromArray(S, x, i + 6 * L);
      FloatVector x7 = FloatVector.fromArray(S, x, i + 7 * L);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
      a4 = x4.fma(x4, a4);
      a5 = x5.fma(x5, a5);
      a6 = x6.fma(x6, a6);
      a7 = x7.fma(x7, a7);
    }
    a0 = a0.add(a4);
    a1 = a1.add(a5);
    a2 = a2.add(a6);
    a3 = a3.add(a7);
    for (; i <= end - 4 * L; i += 4 * L) {
      FloatVector x0 = FloatVector.fromArray(S, x, i);
      FloatVector x1 = FloatVector.fromArray(S, x, i + L);
      FloatVector x2 = FloatVector.fromArray(S, x, i + 2 * L);
      FloatVector x3 = FloatVector.fromArray(S, x, i + 3 * L);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
    }
    for (; i <= end - L; i += L) {
      FloatVector x0 = FloatVector.fromArray(S, x, i);
      a0 = x0.fma(x0, a0);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      sum += x[i] * x[i];
    }
    return sum;
  }

  private static void scale(float[] x, float[] gain, float[] y, int at, int n, float inverse) {
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector x0 = FloatVector.fromArray(S, x, at + i);
      x0.mul(scale).mul(FloatVector.fromArray(S, gain, i)).intoArray(y, at + i);
    }
    for (; i < n; i++) {
      y[at + i] = x[at + i] * inverse * gain[i];
    }
  }

  @Override
  public void addRmsNorm(float[] x, float[] residual, float[] gain, float[] y, int at, int n,
      float epsilon) {
    float inverse = Norms.inverse(addSquares(x, residual, at, n), n, epsilon);
    scale(residual, gain, y, at, n, inverse);
  }

  /** residual += x, and the sum of the squares of what comes out. */
  private static float addSquares(float[] x, float[] residual, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 4 * L; i += 4 * L) {
      FloatVector r0 = FloatVector.fromArray(S, residual, i);
      FloatVector r1 = FloatVector.fromArray(S, residual, i + L);
      FloatVector r2 = FloatVector.fromArray(S, residual, i + 2 * L);
      FloatVector r3 = FloatVector.fromArray(S, residual, i + 3 * L);
      r0 = r0.add(FloatVector.fromArray(S, x, i));
      r1 = r1.add(FloatVector.fromArray(S, x, i + L));
      r2 = r2.add(FloatVector.fromArray(S, x, i + 2 * L));
      r3 = r3.add(FloatVector.fromArray(S, x, i + 3 * L));
      r0.intoArray(residual, i);
      r1.intoArray(residual, i + L);
      r2.intoArray(residual, i + 2 * L);
      r3.intoArray(residual, i + 3 * L);
      a0 = r0.fma(r0, a0);
      a1 = r1.fma(r1, a1);
      a2 = r2.fma(r2, a2);
      a3 = r3.fma(r3, a3);
    }
    for (; i <= end - L; i += L) {
      FloatVector r0 = FloatVector.fromArray(S, residual, i).add(FloatVector.fromArray(S, x, i));
      r0.intoArray(residual, i);
      a0 = r0.fma(r0, a0);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      residual[i] += x[i];
      sum += residual[i] * residual[i];
    }
    return sum;
  }

  @Override
  public void layerNorm(float[] x, float[] gain, float[] bias, float[] y, int at, int n,
      float epsilon) {
    float mean = sum(x, at, n) / n;
    float inverse = Norms.inverse(centredSquares(x, at, n, mean), n, epsilon);
    affine(x, gain, bias, y, at, n, mean, inverse);
  }

  private static void affine(float[] x, float[] gain, float[] bias, float[] y, int at, int n,
      float mean, float inverse) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector scale = FloatVector.broadcast(S, inverse);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector x0 = FloatVector.fromArray(S, x, at + i).sub(centre).mul(scale);
      FloatVector g0 = FloatVector.fromArray(S, gain, i);
      x0.fma(g0, FloatVector.fromArray(S, bias, i)).intoArray(y, at + i);
    }
    for (; i < n; i++) {
      y[at + i] = (x[at + i] - mean) * inverse * gain[i] + bias[i];
    }
  }

  static float sum(float[] x, int at, int n) {
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 8 * L; i += 8 * L) {
      a0 = a0.add(FloatVector.fromArray(S, x, i));
      a1 = a1.add(FloatVector.fromArray(S, x, i + L));
      a2 = a2.add(FloatVector.fromArray(S, x, i + 2 * L));
      a3 = a3.add(FloatVector.fromArray(S, x, i + 3 * L));
      a4 = a4.add(FloatVector.fromArray(S, x, i + 4 * L));
      a5 = a5.add(FloatVector.fromArray(S, x, i + 5 * L));
      a6 = a6.add(FloatVector.fromArray(S, x, i + 6 * L));
      a7 = a7.add(FloatVector.fromArray(S, x, i + 7 * L));
    }
    a0 = a0.add(a4);
    a1 = a1.add(a5);
    a2 = a2.add(a6);
    a3 = a3.add(a7);
    for (; i <= end - 4 * L; i += 4 * L) {
      a0 = a0.add(FloatVector.fromArray(S, x, i));
      a1 = a1.add(FloatVector.fromArray(S, x, i + L));
      a2 = a2.add(FloatVector.fromArray(S, x, i + 2 * L));
      a3 = a3.add(FloatVector.fromArray(S, x, i + 3 * L));
    }
    for (; i <= end - L; i += L) {
      a0 = a0.add(FloatVector.fromArray(S, x, i));
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      sum += x[i];
    }
    return sum;
  }

  static float centredSquares(float[] x, int at, int n, float mean) {
    FloatVector centre = FloatVector.broadcast(S, mean);
    FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0;
    FloatVector a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    int end = at + n;
    int i = at;
    for (; i <= end - 8 * L; i += 8 * L) {
      FloatVector x0 = FloatVector.fromArray(S, x, i).sub(centre);
      FloatVector x1 = FloatVector.fromArray(S, x, i + L).sub(centre);
      FloatVector x2 = FloatVector.fromArray(S, x, i + 2 * L).sub(centre);
      FloatVector x3 = FloatVector.fromArray(S, x, i + 3 * L).sub(centre);
      FloatVector x4 = FloatVector.fromArray(S, x, i + 4 * L).sub(centre);
      FloatVector x5 = FloatVector.fromArray(S, x, i + 5 * L).sub(centre);
      FloatVector x6 = FloatVector.fromArray(S, x, i + 6 * L).sub(centre);
      FloatVector x7 = FloatVector.fromArray(S, x, i + 7 * L).sub(centre);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
      a4 = x4.fma(x4, a4);
      a5 = x5.fma(x5, a5);
      a6 = x6.fma(x6, a6);
      a7 = x7.fma(x7, a7);
    }
    a0 = a0.add(a4);
    a1 = a1.add(a5);
    a2 = a2.add(a6);
    a3 = a3.add(a7);
    for (; i <= end - 4 * L; i += 4 * L) {
      FloatVector x0 = FloatVector.fromArray(S, x, i).sub(centre);
      FloatVector x1 = FloatVector.fromArray(S, x, i + L).sub(centre);
      FloatVector x2 = FloatVector.fromArray(S, x, i + 2 * L).sub(centre);
      FloatVector x3 = FloatVector.fromArray(S, x, i + 3 * L).sub(centre);
      a0 = x0.fma(x0, a0);
      a1 = x1.fma(x1, a1);
      a2 = x2.fma(x2, a2);
      a3 = x3.fma(x3, a3);
    }
    for (; i <= end - L; i += L) {
      FloatVector x0 = FloatVector.fromArray(S, x, i).sub(centre);
      a0 = x0.fma(x0, a0);
    }
    float sum = a0.add(a2).add(a1.add(a3)).reduceLanes(VectorOperators.ADD);
    for (; i < end; i++) {
      sum += (x[i] - mean) * (x[i] - mean);
    }
    return sum;
  }
}
