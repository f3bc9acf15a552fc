// Storage types, and conversions of one element. Included inside each backend's unnamed namespace,
// so that no two units share a function: the linker must never pick one compiled for another
// instruction set.

#if defined(PANORM_COMPACT)  // the scalar backend: small rather than fast
#define PANORM_INLINE inline
#define PANORM_INLINE_LAMBDA
#else
#define PANORM_INLINE inline __attribute__((always_inline))
#define PANORM_INLINE_LAMBDA __attribute__((always_inline))
#endif

#if defined(__clang__)
#define PANORM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PANORM_UNROLL _Pragma("GCC unroll 16")
#endif

struct f16 {
  unsigned short bits;
};

struct bf16 {
  unsigned short bits;
};

using i8 = signed char;

template <class To, class From>
PANORM_INLINE To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

PANORM_INLINE unsigned bits(float x) { return bit_cast<unsigned>(x); }

PANORM_INLINE unsigned long long bits(double x) { return bit_cast<unsigned long long>(x); }

PANORM_INLINE float widen(float x) { return x; }

PANORM_INLINE double widen(double x) { return x; }

PANORM_INLINE float widen(bf16 x) { return bit_cast<float>((unsigned)x.bits << 16); }

PANORM_INLINE float widen(f16 x) {
#if defined(__F16C__)
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(x.bits)));
#elif defined(__ARM_FP16_FORMAT_IEEE)
  return bit_cast<__fp16>(x.bits);
#else
  unsigned sign = (x.bits & 0x8000u) << 16, rest = x.bits & 0x7fffu;
  float magnitude = rest < 0x400    ? rest * 0x1p-24f
                    : rest < 0x7c00 ? bit_cast<float>((rest << 13) + (112u << 23))
                                    : bit_cast<float>(0x7f800000u | rest << 13);  // infinity, NaN
  return bit_cast<float>(sign | bits(magnitude));
#endif
}

// Adding and taking away this rounds a small number to an integer, to nearest even; the integer is
// in the low bits.
template <class E>
constexpr E kRound = sizeof(E) == 4 ? (E)0x1.8p23 : (E)0x1.8p52;

template <class E>
PANORM_INLINE E round_even1(E x) {
  E magic = kRound<E>;
  return (x + magic) - magic;
}

// narrow<T>: to the nearest T, ties to even; NaN stays NaN.
template <class T>
T narrow(float x);

template <>
PANORM_INLINE float narrow<float>(float x) {
  return x;
}

template <>
PANORM_INLINE bf16 narrow<bf16>(float x) {
  unsigned u = bits(x);
  if ((u & 0x7fffffff) > 0x7f800000) return {(unsigned short)(u >> 16 | 0x40)};
  return {(unsigned short)((u + 0x7fff + (u >> 16 & 1)) >> 16)};
}

template <>
PANORM_INLINE f16 narrow<f16>(float x) {
  unsigned u = bits(x), sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
  if (a > 0x7f800000) return {(unsigned short)(sign | 0x7e00 | (a >> 13 & 0x1ff))};
  if (a >= 0x477ff000) return {(unsigned short)(sign | 0x7c00)};  // 65520 and above
  unsigned rest = a < 0x38800000  // below 2^-14, where adding 0.5 rounds at f16's last place
                      ? bits(bit_cast<float>(a) + 0.5f) - 0x3f000000
                      : (a + 0xfff + (a >> 13 & 1) - (112u << 23)) >> 13;
  return {(unsigned short)(sign | rest)};
}

template <>
PANORM_INLINE i8 narrow<i8>(float x) {
  return (i8)(int)round_even1(x);  // in range by construction
}

// Rounds to odd, so that a second rounding to 16 bits is right.
PANORM_INLINE float to_odd(double x) {
  float f = (float)x;
  unsigned u = bits(f);
  if ((double)f == x || x != x || u & 1) return f;
  bool larger = (x < 0 ? -x : x) > (f < 0 ? -(double)f : (double)f);  // in magnitude
  return bit_cast<float>(larger ? u + 1 : u - 1);
}

template <class T>
PANORM_INLINE T narrow(double x) {
  if constexpr (sizeof(T) == 2) {
    return narrow<T>(to_odd(x));
  } else if constexpr (sizeof(T) == 1) {
    return (i8)(int)round_even1(x);
  } else {
    return (T)x;
  }
}

// Fused multiply-add of one element, rounded once.
#if defined(__FMA__) || defined(__aarch64__)
PANORM_INLINE float fma1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
// The product is exact in double; the sum rounded to odd there rounds right to float.
PANORM_INLINE float fma1(float a, float b, float c) {
  double product = (double)a * b, sum = product + c;
  double error = [&] {  // Knuth's two-sum; NaN if the sum is infinite or NaN
    double p = sum - c;
    return (product - p) + (c - (sum - p));
  }();
  unsigned long long u = bits(sum);
  bool nudge = (error > 0 || error < 0) && !(u & 1);
  u += nudge ? ((error > 0) == (sum > 0) ? 1 : -1) : 0;
  return (float)bit_cast<double>(u);
}
#endif

#if defined(_WIN32) && !defined(__FMA__)
#include "simd/fma_windows.h"
#else
PANORM_INLINE double fma1(double a, double b, double c) { return __builtin_fma(a, b, c); }
#endif

PANORM_INLINE float sqrt1(float x) { return __builtin_sqrtf(x); }

PANORM_INLINE double sqrt1(double x) { return __builtin_sqrt(x); }

// 1 / x of a power of two from 1 on, exactly; 0 for any other number, whose bits are not all
// exponent, and for powers out of use.
PANORM_INLINE float reciprocal_of_power_of_two(float x) {
  unsigned u = bits(x);
  bool one_or_more = u - 0x3f800000u < 0x20000000u;
  return one_or_more && !(u & 0x7fffff) ? bit_cast<float>(0x7f000000u - u) : 0;
}

PANORM_INLINE double reciprocal_of_power_of_two(double x) {
  unsigned long long u = bits(x), one = bits(1.0);
  bool one_or_more = u - one < one >> 1;
  return one_or_more && !(u & ((1ull << 52) - 1)) ? bit_cast<double>(2 * one - u) : 0;
}

// The larger of two magnitudes (no sign) by their bits: a NaN is above infinity.
template <class E>
PANORM_INLINE E max_magnitude1(E a, E b) {
  return bits(a) > bits(b) ? a : b;
}

// Fewer elements than a vector has, where the instruction set has no masks for them: by way of a
// copy, in pieces that are each a power of two long.
template <int piece, class T>
PANORM_INLINE void copy_part(T *to, const T *from, int n) {
  if constexpr (piece > 0) {
    int size = n & piece;
    if (size) __builtin_memcpy(to, from, piece * sizeof(T));
    copy_part<piece / 2>(to + size, from + size, n);
  }
}

template <class V, class T>
PANORM_INLINE V load_by_copy(const T *p, int n) {
  T whole[V::lanes] = {};
  copy_part<V::lanes / 2>(whole, p, n);
  return V::load(whole);
}

template <class V, class T>
PANORM_INLINE void store_by_copy(const V &v, T *p, int n) {
  T whole[V::lanes];
  v.store(whole);
  copy_part<V::lanes / 2>(p, whole, n);
}
