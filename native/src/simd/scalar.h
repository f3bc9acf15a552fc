// Portable vectors: plain arrays and loops, as wide as a block so that loops stay loops.

template <class E, int Lanes>
struct ScalarVec {
  using elem = E;
  static constexpr int lanes = Lanes;
  E v[Lanes];

  static PANORM_INLINE ScalarVec set(E x) {
    return map([&](int) { return x; });
  }

  template <class T>
  static PANORM_INLINE ScalarVec load(const T *p) {
    return map([&](int i) { return (E)widen(p[i]); });
  }

  template <class T>
  static PANORM_INLINE ScalarVec load_part(const T *p, int n) {
    return map([&](int i) { return i < n ? (E)widen(p[i]) : 0; });
  }

  template <class T>
  PANORM_INLINE void store_part(T *p, int n) const {
    for (int i = 0; i < n; ++i) p[i] = narrow<T>(v[i]);
  }

  template <class T>
  PANORM_INLINE void store(T *p) const {
    for (int i = 0; i < Lanes; ++i) p[i] = narrow<T>(v[i]);
  }

  template <class F>
  static PANORM_INLINE ScalarVec map(F f) {
    ScalarVec r;
    for (int i = 0; i < Lanes; ++i) r.v[i] = f(i);
    return r;
  }
};

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> operator+(ScalarVec<E, N> a, ScalarVec<E, N> b) {
  return a.map([&](int i) { return a.v[i] + b.v[i]; });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> operator-(ScalarVec<E, N> a, ScalarVec<E, N> b) {
  return a.map([&](int i) { return a.v[i] - b.v[i]; });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> operator*(ScalarVec<E, N> a, ScalarVec<E, N> b) {
  return a.map([&](int i) { return a.v[i] * b.v[i]; });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> operator/(ScalarVec<E, N> a, ScalarVec<E, N> b) {
  return a.map([&](int i) { return a.v[i] / b.v[i]; });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> fma(ScalarVec<E, N> a, ScalarVec<E, N> b, ScalarVec<E, N> c) {
  return a.map([&](int i) { return fma1(a.v[i], b.v[i], c.v[i]); });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> cap(ScalarVec<E, N> a, E limit) {
  return a.map([&](int i) { return a.v[i] < limit ? a.v[i] : limit; });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> select_negative(ScalarVec<E, N> sign, ScalarVec<E, N> negative,
                                              ScalarVec<E, N> other) {
  return sign.map([&](int i) { return __builtin_signbit(sign.v[i]) ? negative.v[i] : other.v[i]; });
}

// The first n lanes; +0 beyond.
template <class E, int N>
PANORM_INLINE ScalarVec<E, N> first(ScalarVec<E, N> a, int n) {
  return a.map([&](int i) { return i < n ? a.v[i] : 0; });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> magnitude(ScalarVec<E, N> a) {
  return a.map([&](int i) { return bit_cast<E>(bits(a.v[i]) & ~bits((E)-0.0)); });
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> max_magnitude(ScalarVec<E, N> a, ScalarVec<E, N> b) {
  return a.map([&](int i) { return max_magnitude1(a.v[i], b.v[i]); });
}

template <class E, int N>
PANORM_INLINE E largest(ScalarVec<E, N> a) {
  E r = a.v[0];
  for (int i = 1; i < N; ++i) r = max_magnitude1(r, a.v[i]);
  return r;
}

template <class E, int N>
PANORM_INLINE ScalarVec<E, N> shift_to_exponent(ScalarVec<E, N> a) {
  return a.map([&](int i) { return bit_cast<E>(bits(a.v[i]) << (sizeof(E) == 4 ? 23 : 52)); });
}

template <class E, int N>
PANORM_INLINE E fold(ScalarVec<E, N> a) {
  for (int half = N / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.v[i] = a.v[i] + a.v[i + half];
  }
  return a.v[0];
}

using F32 = ScalarVec<float, 64>;
using F64 = ScalarVec<double, 32>;
using Bf16Rows = F32;

// How many blocks the registers hold.
constexpr int kHeldBlocks = 0;

constexpr bool kStreams = false;  // no stores past the caches

PANORM_INLINE void stream_bytes(void *, const void *, int) {}

PANORM_INLINE void stream_fence() {}
