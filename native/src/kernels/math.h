// Elementary functions over vectors, by the same operations on every backend.

template <class E>
struct Constants;

template <>
struct Constants<float> {
  static constexpr float exponent_bias = 127;
  static constexpr float exp_underflows = 110;  // exp(-110) is 0
  static constexpr float log2_e = 0x1.715476p0f, ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  static constexpr int exp_degree = 7;  // of the Taylor series on [-ln 2 / 2, ln 2 / 2]
};

template <>
struct Constants<double> {
  static constexpr double exponent_bias = 1023;
  static constexpr double exp_underflows = 760;
  static constexpr double log2_e = 0x1.71547652b82fep0, ln2_high = 0x1.62e42feep-1,
                          ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr int exp_degree = 13;
};

// The one in the middle, of which x - base is taken: of elements of a row around 10,000 it is
// around that, and it is no outlier if one of them is.
template <class E>
PANORM_INLINE E median1(E a, E b, E c) {
  E low = b < a ? b : a, high = b < a ? a : b;
  E middle = c < high ? c : high;
  return middle > low ? middle : low;
}

template <class V>
PANORM_INLINE V median(V a, V b, V c) {
  // (-0 - 0 is -0, but no less is -0.)
  auto less = [](V p, V q) PANORM_INLINE_LAMBDA { return (p - q) + V::set(0); };
  V low = select_negative(less(b, a), b, a), high = select_negative(less(b, a), a, b);
  V middle = select_negative(less(c, high), c, high);
  return select_negative(less(low, middle), middle, low);
}

template <class V>
PANORM_INLINE V round_even(V x) {
  V magic = V::set(kRound<typename V::elem>);
  return (x + magic) - magic;
}

// exp(x) for x in [-exp_underflows, 0]: 2^n * exp(r), with 2^n in two factors so that results below
// the normal range are rounded once.
template <class V>
PANORM_INLINE V exp_negative(V x) {
  using E = typename V::elem;
  using C = Constants<E>;
  V n = round_even(x * V::set(C::log2_e));
  V r = fma(n, V::set(-C::ln2_high), x);
  r = fma(n, V::set(-C::ln2_low), r);
  double factorial[C::exp_degree + 1] = {1};
  for (int i = 1; i <= C::exp_degree; ++i) factorial[i] = factorial[i - 1] * i;
  V p = V::set((E)(1 / factorial[C::exp_degree]));
  for (int i = C::exp_degree - 1; i >= 0; --i) p = fma(p, r, V::set((E)(1 / factorial[i])));
  V half = round_even(n * V::set((E)0.5));
  V biased = V::set(kRound<E> + C::exponent_bias);
  return (p * shift_to_exponent(half + biased)) * shift_to_exponent((n - half) + biased);
}

// z / (1 + exp(-z)), without overflow.
template <class V>
PANORM_INLINE V silu(V z) {
  using E = typename V::elem;
  V t = exp_negative(V::set(0) - cap(magnitude(z), Constants<E>::exp_underflows));
  return select_negative(z, z * t, z) / (V::set(1) + t);
}
