package dev.panorm.paper.nn;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops over n floats of off-heap memory, from element {@code at} on where one is given. Elements
 * past the last whole vector are taken one by one, by the same arithmetic.
 *
 * <p>The same bits each time on one machine. So exp and tanh are our own, out of correctly rounded
 * operations, and sums fold in a fixed order: those of the Vector API round differently before and
 * after compilation. (Where vectors have another width, sums have another order.)
 */
final class Loops {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private Loops() {}

  private static FloatVector load(MemorySegment s, long i) {
    return FloatVector.fromMemorySegment(SPECIES, s, i << 2, ByteOrder.nativeOrder());
  }

  private static void store(FloatVector v, MemorySegment s, long i) {
    v.intoMemorySegment(s, i << 2, ByteOrder.nativeOrder());
  }

  static float get(MemorySegment s, long i) {
    return s.getAtIndex(FLOAT, i);
  }

  static void set(MemorySegment s, long i, float value) {
    s.setAtIndex(FLOAT, i, value);
  }

  private static float fold(FloatVector v) {
    float[] lanes = v.toArray();
    for (int half = lanes.length / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }

  /** y = a + b. */
  static void sum(MemorySegment a, MemorySegment b, MemorySegment y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(a, i).add(load(b, i)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, get(a, i) + get(b, i));
    }
  }

  /** y += scale * x. */
  static void add(MemorySegment x, long xAt, float scale, MemorySegment y, long yAt, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(x, xAt + i).fma(FloatVector.broadcast(SPECIES, scale), load(y, yAt + i)), y,
          yAt + i);
    }
    for (; i < n; i++) {
      set(y, yAt + i, Math.fma(get(x, xAt + i), scale, get(y, yAt + i)));
    }
  }

  static void add(MemorySegment x, MemorySegment y, long n) {
    add(x, 0, 1, y, 0, n);
  }

  /** y = scale * x + shift. */
  static void affine(MemorySegment x, long xAt, float scale, float shift, MemorySegment y, long yAt,
      long n) {
    FloatVector shifts = FloatVector.broadcast(SPECIES, shift);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(x, xAt + i).fma(FloatVector.broadcast(SPECIES, scale), shifts), y, yAt + i);
    }
    for (; i < n; i++) {
      set(y, yAt + i, Math.fma(get(x, xAt + i), scale, shift));
    }
  }

  /** y = a * b. */
  static void product(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y,
      long yAt, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(a, aAt + i).mul(load(b, bAt + i)), y, yAt + i);
    }
    for (; i < n; i++) {
      set(y, yAt + i, get(a, aAt + i) * get(b, bAt + i));
    }
  }

  /** y += scale * a * b. */
  static void addProduct(MemorySegment a, long aAt, MemorySegment b, long bAt, float scale,
      MemorySegment y, long yAt, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(a, aAt + i).mul(scale).fma(load(b, bAt + i), load(y, yAt + i)), y, yAt + i);
    }
    for (; i < n; i++) {
      set(y, yAt + i, Math.fma(get(a, aAt + i) * scale, get(b, bAt + i), get(y, yAt + i)));
    }
  }

  static float total(MemorySegment x, long at, long n) {
    FloatVector totals = FloatVector.zero(SPECIES);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      totals = totals.add(load(x, at + i));
    }
    float total = fold(totals);
    for (; i < n; i++) {
      total += get(x, at + i);
    }
    return total;
  }

  static float dot(MemorySegment a, long aAt, MemorySegment b, long bAt, long n) {
    FloatVector dots = FloatVector.zero(SPECIES);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      dots = load(a, aAt + i).fma(load(b, bAt + i), dots);
    }
    float dot = fold(dots);
    for (; i < n; i++) {
      dot = Math.fma(get(a, aAt + i), get(b, bAt + i), dot);
    }
    return dot;
  }

  static float greatest(MemorySegment x, long at, long n) {
    FloatVector greatest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      greatest = greatest.max(load(x, at + i));
    }
    float max = greatest.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = Math.max(max, get(x, at + i));
    }
    return max;
  }

  // exp(x) = 2^n * exp(r), n the integer nearest to x / ln 2: the polynomial of Cephes' expf. Adding
  // ROUND leaves n in the low bits of the sum. Below -87 it stays at exp(-87), some 1e-38.
  private static final float EXP_LEAST = -87;
  private static final float EXP_MOST = 88;
  private static final float ROUND = 0x1.8p23f;
  private static final float LOG2_E = 1.44269504f;
  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.12194440e-4f;
  private static final int ONE = 0x3f800000;
  private static final float[] EXP = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
    4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};

  // tanh(x) = 1 - 2 / (exp(2 x) + 1) for positive x, but near 0 the polynomial of Cephes' tanhf, in x^2.
  private static final float TANH_NEAR = 0.625f;
  private static final float[] TANH = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
    1.33314422036e-1f, -3.33332819422e-1f};

  private static FloatVector polynomial(float[] coefficients, FloatVector x) {
    FloatVector y = FloatVector.broadcast(SPECIES, coefficients[0]);
    for (int i = 1; i < coefficients.length; i++) {
      y = y.fma(x, FloatVector.broadcast(SPECIES, coefficients[i]));
    }
    return y;
  }

  private static float polynomial(float[] coefficients, float x) {
    float y = coefficients[0];
    for (int i = 1; i < coefficients.length; i++) {
      y = Math.fma(y, x, coefficients[i]);
    }
    return y;
  }

  private static FloatVector exp(FloatVector x) {
    FloatVector bounded = x.max(EXP_LEAST).min(EXP_MOST);
    FloatVector sum = bounded.fma(FloatVector.broadcast(SPECIES, LOG2_E),
        FloatVector.broadcast(SPECIES, ROUND));
    FloatVector n = sum.sub(ROUND);
    FloatVector r = n.fma(FloatVector.broadcast(SPECIES, -LN2_LOW),
        n.fma(FloatVector.broadcast(SPECIES, -LN2_HIGH), bounded));
    FloatVector y = polynomial(EXP, r).fma(r.mul(r), r).add(1);
    return y.mul(
        sum.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).add(ONE).reinterpretAsFloats());
  }

  static float exp(float x) {
    float bounded = Math.min(Math.max(x, EXP_LEAST), EXP_MOST);
    float sum = Math.fma(bounded, LOG2_E, ROUND);
    float n = sum - ROUND;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, bounded));
    float y = Math.fma(polynomial(EXP, r), r * r, r) + 1;
    return y * Float.intBitsToFloat((Float.floatToRawIntBits(sum) << 23) + ONE);
  }

  private static FloatVector tanh(FloatVector x) {
    FloatVector one = FloatVector.broadcast(SPECIES, 1);
    FloatVector size = x.abs();
    FloatVector far = one.sub(FloatVector.broadcast(SPECIES, 2).div(exp(size.add(size)).add(one)));
    FloatVector square = x.mul(x);
    FloatVector near = polynomial(TANH, square).mul(square).fma(x, x);
    return far.blend(far.neg(), x.compare(VectorOperators.LT, 0))
        .blend(near, size.compare(VectorOperators.LT, TANH_NEAR));
  }

  static float tanh(float x) {
    float size = Math.abs(x);
    if (size < TANH_NEAR) {
      float square = x * x;
      return Math.fma(polynomial(TANH, square) * square, x, x);
    }
    float far = 1 - 2 / (exp(size + size) + 1);
    return x < 0 ? -far : far;
  }

  /** x = exp(x - shift); gives the sum. */
  static float exp(MemorySegment x, long at, float shift, long n) {
    FloatVector totals = FloatVector.zero(SPECIES);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector e = exp(load(x, at + i).sub(shift));
      store(e, x, at + i);
      totals = totals.add(e);
    }
    float total = fold(totals);
    for (; i < n; i++) {
      float e = exp(get(x, at + i) - shift);
      set(x, at + i, e);
      total += e;
    }
    return total;
  }

  /** x = softmax(x). */
  static void softmax(MemorySegment x, long at, long n) {
    float total = exp(x, at, greatest(x, at, n), n);
    affine(x, at, 1 / total, 0, x, at, n);
  }

  static void tanh(MemorySegment x, MemorySegment y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(tanh(load(x, i)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, tanh(get(x, i)));
    }
  }

  /** dx += dy * (1 - y^2). */
  static void tanhBackward(MemorySegment dy, MemorySegment y, MemorySegment dx, long n) {
    FloatVector one = FloatVector.broadcast(SPECIES, 1);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = load(y, i);
      store(load(dy, i).fma(one.sub(v.mul(v)), load(dx, i)), dx, i);
    }
    for (; i < n; i++) {
      float v = get(y, i);
      set(dx, i, Math.fma(get(dy, i), 1 - v * v, get(dx, i)));
    }
  }

  private static FloatVector sigmoid(FloatVector x) {
    FloatVector one = FloatVector.broadcast(SPECIES, 1);
    return one.div(exp(x.neg()).add(one));
  }

  private static float sigmoid(float x) {
    return 1 / (exp(-x) + 1);
  }

  static void sigmoid(MemorySegment x, MemorySegment y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(sigmoid(load(x, i)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, sigmoid(get(x, i)));
    }
  }

  /** dx += dy * y * (1 - y). */
  static void sigmoidBackward(MemorySegment dy, MemorySegment y, MemorySegment dx, long n) {
    FloatVector one = FloatVector.broadcast(SPECIES, 1);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = load(y, i);
      store(load(dy, i).fma(v.mul(one.sub(v)), load(dx, i)), dx, i);
    }
    for (; i < n; i++) {
      float v = get(y, i);
      set(dx, i, Math.fma(get(dy, i), v * (1 - v), get(dx, i)));
    }
  }

  /** y = x * sigmoid(x). */
  static void silu(MemorySegment x, MemorySegment y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = load(x, i);
      store(v.mul(sigmoid(v)), y, i);
    }
    for (; i < n; i++) {
      set(y, i, get(x, i) * sigmoid(get(x, i)));
    }
  }

  /** dx += dy * (s + x * s * (1 - s)), s = sigmoid(x). */
  static void siluBackward(MemorySegment dy, MemorySegment x, MemorySegment dx, long n) {
    FloatVector one = FloatVector.broadcast(SPECIES, 1);
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = load(x, i);
      FloatVector s = sigmoid(v);
      FloatVector slope = v.mul(s).fma(one.sub(s), s);
      store(load(dy, i).fma(slope, load(dx, i)), dx, i);
    }
    for (; i < n; i++) {
      float v = get(x, i);
      float s = sigmoid(v);
      set(dx, i, Math.fma(get(dy, i), Math.fma(v * s, 1 - s, s), get(dx, i)));
    }
  }

  static void relu(MemorySegment x, MemorySegment y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(x, i).max(0), y, i);
    }
    for (; i < n; i++) {
      set(y, i, Math.max(get(x, i), 0));
    }
  }

  /** dx += dy where y > 0. */
  static void reluBackward(MemorySegment dy, MemorySegment y, MemorySegment dx, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = load(dx, i);
      store(v.add(load(dy, i), load(y, i).compare(VectorOperators.GT, 0)), dx, i);
    }
    for (; i < n; i++) {
      if (get(y, i) > 0) {
        set(dx, i, get(dx, i) + get(dy, i));
      }
    }
  }

  /** y = a + z * (b - a). */
  static void mix(MemorySegment z, MemorySegment a, MemorySegment b, MemorySegment y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = load(a, i);
      store(load(b, i).sub(v).fma(load(z, i), v), y, i);
    }
    for (; i < n; i++) {
      set(y, i, Math.fma(get(b, i) - get(a, i), get(z, i), get(a, i)));
    }
  }

  /** dz += dy * (b - a); da += dy * (1 - z); db += dy * z. */
  static void mixBackward(MemorySegment dy, MemorySegment z, MemorySegment a, MemorySegment b,
      MemorySegment dz, MemorySegment da, MemorySegment db, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector d = load(dy, i);
      FloatVector toB = d.mul(load(z, i));
      store(load(b, i).sub(load(a, i)).fma(d, load(dz, i)), dz, i);
      store(load(da, i).add(d.sub(toB)), da, i);
      store(load(db, i).add(toB), db, i);
    }
    for (; i < n; i++) {
      float d = get(dy, i);
      float toB = d * get(z, i);
      set(dz, i, Math.fma(get(b, i) - get(a, i), d, get(dz, i)));
      set(da, i, get(da, i) + (d - toB));
      set(db, i, get(db, i) + toB);
    }
  }

  /** One step of Adam on w with the gradient g, scaled; rate includes the bias corrections. */
  static void adam(MemorySegment w, MemorySegment g, float scale, MemorySegment m, MemorySegment v,
      float beta1, float beta2, float rate, float epsilon, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
      FloatVector d = load(g, i).mul(scale);
      FloatVector mean = load(m, i).mul(beta1).add(d.mul(1 - beta1));
      FloatVector square = load(v, i).mul(beta2).add(d.mul(d).mul(1 - beta2));
      store(mean, m, i);
      store(square, v, i);
      store(load(w, i).sub(mean.mul(rate).div(square.sqrt().add(epsilon))), w, i);
    }
    for (; i < n; i++) {
      float d = get(g, i) * scale;
      float mean = get(m, i) * beta1 + d * (1 - beta1);
      float square = get(v, i) * beta2 + d * d * (1 - beta2);
      set(m, i, mean);
      set(v, i, square);
      set(w, i, get(w, i) - mean * rate / ((float) Math.sqrt(square) + epsilon));
    }
  }
}
