// 256-bit vectors: AVX2, FMA and F16C.

template <class T>
PANORM_INLINE unsigned long long read_as(const void *p, int offset) {
  T x;
  __builtin_memcpy(&x, (const char *)p + offset, sizeof x);
  return x;
}

// Fewer than 8 elements of 16 bits, then zeros. By pieces that overlap, not by a copy: to read at
// once what was just written in parts takes some 5 ns. (In a function apart, for every register of
// a rest may be such a one.)
__attribute__((noinline)) __m128i load_part_of_8(const void *p, int n) {
  unsigned long long low = 0, high = 0;
  if (n >= 4) {
    low = read_as<unsigned long long>(p, 0);
    if (n > 4) high = read_as<unsigned long long>(p, 2 * n - 8) >> (128 - 16 * n);
  } else if (n >= 2) {
    low = read_as<unsigned>(p, 0) | read_as<unsigned>(p, 2 * n - 4) << (16 * n - 32);
  } else if (n == 1) {
    low = read_as<unsigned short>(p, 0);
  }
  return _mm_set_epi64x((long long)high, (long long)low);
}

// Adds what makes the upper half of an f32 the nearest bf16, ties to even, unless it is a NaN with
// ones below.
PANORM_INLINE __m256i add_half(__m256i u) {
  __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  return _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
}

struct F32 {
  using elem = float;
  static constexpr int lanes = 8;
  __m256 v;

  static PANORM_INLINE F32 set(float x) { return {_mm256_set1_ps(x)}; }

  static PANORM_INLINE F32 load(const float *p) { return {_mm256_loadu_ps(p)}; }

  static PANORM_INLINE F32 load(const f16 *p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p))};
  }

  static PANORM_INLINE __m256i mask(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }

  static PANORM_INLINE F32 load_part(const float *p, int n) {
    return {_mm256_maskload_ps(p, mask(n))};
  }

  static PANORM_INLINE F32 load_part(const f16 *p, int n) {
    return {_mm256_cvtph_ps(load_part_of_8(p, n))};
  }

  PANORM_INLINE void store(float *p) const { _mm256_storeu_ps(p, v); }

  PANORM_INLINE __m128i narrowed(const f16 *) const {
    return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
  }

  PANORM_INLINE void store(f16 *p) const { _mm_storeu_si128((__m128i *)p, narrowed(p)); }

  PANORM_INLINE void store(bf16 *p) const {
    __m256i u = _mm256_castps_si256(v);
    __m256i rounded = add_half(u);
    __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
    __m256 is_nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
    u = _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet), is_nan));
    u = _mm256_srli_epi32(u, 16);
    u = _mm256_permute4x64_epi64(_mm256_packus_epi32(u, u), 0x08);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(u));
  }

  PANORM_INLINE void store(i8 *p) const {
    __m256i wide = _mm256_cvtps_epi32(v);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(half, half));
  }

  // A masked store takes some 20 ns on AMD's Zen.
  template <class T>
  PANORM_INLINE void store_part(T *p, int n) const {
    store_by_copy(*this, p, n);
  }
};

PANORM_INLINE void store_together(i8 *p, F32 a, F32 b, F32 c, F32 d) {
  __m256i ab = _mm256_packs_epi32(_mm256_cvtps_epi32(a.v), _mm256_cvtps_epi32(b.v));
  __m256i cd = _mm256_packs_epi32(_mm256_cvtps_epi32(c.v), _mm256_cvtps_epi32(d.v));
  __m256i at = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);  // it packs each half by itself
  __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), at);
  _mm256_storeu_si256((__m256i *)p, bytes);
}

PANORM_INLINE void store_together(f16 *p, F32 a, F32 b) {
  _mm256_storeu_si256((__m256i *)p, _mm256_set_m128i(b.narrowed(p), a.narrowed(p)));
}

PANORM_INLINE void store_together(bf16 *p, F32 a, F32 b) {
  if (__builtin_expect(_mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_UNORD_Q)), 0)) {  // a NaN
    a.store(p);
    b.store(p + F32::lanes);
    return;
  }
  __m256i low = _mm256_srli_epi32(add_half(_mm256_castps_si256(a.v)), 16);
  __m256i high = _mm256_srli_epi32(add_half(_mm256_castps_si256(b.v)), 16);
  // It packs each half by itself.
  __m256i in_order = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
  _mm256_storeu_si256((__m256i *)p, in_order);
}

PANORM_INLINE F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.v, b.v)}; }

PANORM_INLINE F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.v, b.v)}; }

PANORM_INLINE F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.v, b.v)}; }

PANORM_INLINE F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.v, b.v)}; }

PANORM_INLINE F32 fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }

PANORM_INLINE F32 cap(F32 a, float limit) { return {_mm256_min_ps(a.v, _mm256_set1_ps(limit))}; }

PANORM_INLINE F32 select_negative(F32 sign, F32 negative, F32 other) {
  return {_mm256_blendv_ps(other.v, negative.v, sign.v)};
}

// The first n lanes; +0 beyond.
PANORM_INLINE F32 first(F32 a, int n) {
  return {_mm256_and_ps(a.v, _mm256_castsi256_ps(F32::mask(n)))};
}

// The same, as the last lanes; +0 before.
PANORM_INLINE F32 first_to_end(F32 a, int n) {
  __m256i from = _mm256_add_epi32(_mm256_setr_epi32(-8, -7, -6, -5, -4, -3, -2, -1),
                                  _mm256_set1_epi32(n));  // negative: none
  __m256 moved = _mm256_permutevar8x32_ps(a.v, from);
  return {_mm256_andnot_ps(_mm256_castsi256_ps(_mm256_srai_epi32(from, 31)), moved)};
}

PANORM_INLINE F32 magnitude(F32 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }

PANORM_INLINE F32 max_magnitude(F32 a, F32 b) {
  return {
      _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a.v), _mm256_castps_si256(b.v)))};
}

PANORM_INLINE float largest(F32 a) {
  __m256i y = _mm256_castps_si256(a.v);
  __m128i x = _mm_max_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
  x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4e));
  x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0xb1));
  return bit_cast<float>(_mm_cvtsi128_si32(x));
}

PANORM_INLINE F32 shift_to_exponent(F32 a) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.v), 23))};
}

PANORM_INLINE float fold(F32 a) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

PANORM_INLINE F32 upper_halves(F32 a) {
  return {_mm256_and_ps(a.v, _mm256_castsi256_ps(_mm256_set1_epi32(0xffff0000)))};
}

// A register of bf16.
struct Halves {
  static constexpr int lanes = 16;
  __m256i v;

  static PANORM_INLINE Halves load(const bf16 *p) {
    return {_mm256_loadu_si256((const __m256i *)p)};
  }

  static PANORM_INLINE Halves load_part(const bf16 *p, int n) {
    if (n < 8) return {_mm256_zextsi128_si256(load_part_of_8(p, n))};
    __m128i low = _mm_loadu_si128((const __m128i *)p), high = load_part_of_8(p + 8, n - 8);
    return {_mm256_set_m128i(high, low)};
  }

  PANORM_INLINE void store(bf16 *p) const { _mm256_storeu_si256((__m256i *)p, v); }

  PANORM_INLINE void store_part(bf16 *p, int n) const { store_by_copy(*this, p, n); }
};

// Elements 0, 2, 4 ... of it, and 1, 3, 5 ...
PANORM_INLINE void split(Halves both, F32 &even, F32 &odd) {
  even = {_mm256_castsi256_ps(_mm256_slli_epi32(both.v, 16))};
  odd = upper_halves({_mm256_castsi256_ps(both.v)});
}

// The other way round, of the upper halves.
PANORM_INLINE Halves merge(F32 even, F32 odd) {
  __m256i low = _mm256_srli_epi32(_mm256_castps_si256(even.v), 16);
  return {_mm256_blend_epi16(low, _mm256_castps_si256(odd.v), 0xaa)};
}

PANORM_INLINE F32 add_half(F32 a) {
  return {_mm256_castsi256_ps(add_half(_mm256_castps_si256(a.v)))};
}

// merge() of the nearest.
PANORM_INLINE Halves merge_nearest(F32 even, F32 odd) {
  return merge(add_half(even), add_half(odd));
}

PANORM_INLINE F32 quieted(F32 a) {
  __m256 nan = _mm256_set1_ps(__builtin_nanf(""));
  return {_mm256_blendv_ps(a.v, nan, _mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q))};
}

PANORM_INLINE void deinterleave(F32 low, F32 high, F32 &even, F32 &odd) {
  auto in_order = [](__m256 x) {
    return F32{_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8))};
  };
  even = in_order(_mm256_shuffle_ps(low.v, high.v, 0x88));
  odd = in_order(_mm256_shuffle_ps(low.v, high.v, 0xdd));
}

PANORM_INLINE void interleave(F32 even, F32 odd, F32 &low, F32 &high) {
  __m256 a = _mm256_unpacklo_ps(even.v, odd.v), b = _mm256_unpackhi_ps(even.v, odd.v);
  low = {_mm256_permute2f128_ps(a, b, 0x20)};
  high = {_mm256_permute2f128_ps(a, b, 0x31)};
}

struct F64 {
  using elem = double;
  static constexpr int lanes = 4;
  __m256d v;

  static PANORM_INLINE F64 set(double x) { return {_mm256_set1_pd(x)}; }

  static PANORM_INLINE F64 load(const double *p) { return {_mm256_loadu_pd(p)}; }

  static PANORM_INLINE F64 load(const float *p) { return {_mm256_cvtps_pd(_mm_loadu_ps(p))}; }

  static PANORM_INLINE __m256i mask(int n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }

  static PANORM_INLINE F64 load_part(const double *p, int n) {
    return {_mm256_maskload_pd(p, mask(n))};
  }

  static PANORM_INLINE F64 load_part(const float *p, int n) { return load_by_copy<F64>(p, n); }

  PANORM_INLINE void store(double *p) const { _mm256_storeu_pd(p, v); }

  PANORM_INLINE void store_part(double *p, int n) const { store_by_copy(*this, p, n); }
};

PANORM_INLINE F64 operator+(F64 a, F64 b) { return {_mm256_add_pd(a.v, b.v)}; }

PANORM_INLINE F64 operator-(F64 a, F64 b) { return {_mm256_sub_pd(a.v, b.v)}; }

PANORM_INLINE F64 operator*(F64 a, F64 b) { return {_mm256_mul_pd(a.v, b.v)}; }

PANORM_INLINE F64 operator/(F64 a, F64 b) { return {_mm256_div_pd(a.v, b.v)}; }

PANORM_INLINE F64 fma(F64 a, F64 b, F64 c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }

PANORM_INLINE F64 cap(F64 a, double limit) { return {_mm256_min_pd(a.v, _mm256_set1_pd(limit))}; }

PANORM_INLINE F64 select_negative(F64 sign, F64 negative, F64 other) {
  return {_mm256_blendv_pd(other.v, negative.v, sign.v)};
}

PANORM_INLINE F64 first(F64 a, int n) {
  return {_mm256_and_pd(a.v, _mm256_castsi256_pd(F64::mask(n)))};
}

PANORM_INLINE F64 magnitude(F64 a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v)}; }

PANORM_INLINE F64 shift_to_exponent(F64 a) {
  return {_mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a.v), 52))};
}

PANORM_INLINE double fold(F64 a) {
  __m128d x = _mm_add_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
}

// How many blocks the registers hold.
constexpr int kHeldBlocks = 2;

constexpr bool kStreams = true;

PANORM_INLINE void stream_bytes(void *to, const void *from, int n) {
  PANORM_UNROLL
  for (int i = 0; i < n; i += (int)sizeof(__m256i)) {
    __m256i v = _mm256_load_si256((const __m256i *)((const char *)from + i));
    _mm256_stream_si256((__m256i *)((char *)to + i), v);
  }
}

PANORM_INLINE void stream_fence() { _mm_sfence(); }
