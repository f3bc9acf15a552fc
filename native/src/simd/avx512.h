// 512-bit vectors: AVX-512 F, BW, DQ and VL.

// A NaN as it becomes a bf16, with zeros behind it; what is none stays.
PANORM_INLINE __m512i with_short_nan(__m512 a) {
  __m512i u = _mm512_castps_si512(a);
  __mmask16 is_nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
  __m512i quiet = _mm512_set1_epi32(0x400000), upper = _mm512_set1_epi32(0xffff0000);
  return _mm512_mask_ternarylogic_epi32(u, is_nan, quiet, upper, 0xa8);  // (u | quiet) & upper
}

// Adds what makes the upper half of an f32 the nearest bf16, ties to even, unless it is a NaN with
// ones below.
PANORM_INLINE __m512i add_half(__m512i u) {
  __mmask16 odd = _mm512_test_epi32_mask(u, _mm512_set1_epi32(0x10000));
  __m512i half = _mm512_mask_blend_epi32(odd, _mm512_set1_epi32(0x7fff), _mm512_set1_epi32(0x8000));
  return _mm512_add_epi32(u, half);
}

struct F32 {
  using elem = float;
  static constexpr int lanes = 16;
  __m512 v;

  static PANORM_INLINE F32 set(float x) { return {_mm512_set1_ps(x)}; }

  static PANORM_INLINE __mmask16 mask(int n) { return (__mmask16)((1u << n) - 1); }

  static PANORM_INLINE F32 load(const float *p) { return {_mm512_loadu_ps(p)}; }

  static PANORM_INLINE F32 load_part(const float *p, int n) {
    return {_mm512_maskz_loadu_ps(mask(n), p)};
  }

  static PANORM_INLINE F32 load(const f16 *p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p))};
  }

  static PANORM_INLINE F32 load_part(const f16 *p, int n) {
    return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask(n), p))};
  }

  PANORM_INLINE __m256i narrowed(const f16 *) const {
    return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
  }

  PANORM_INLINE __m256i narrowed(const bf16 *) const {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(add_half(with_short_nan(v)), 16));
  }

  PANORM_INLINE void store(float *p) const { _mm512_storeu_ps(p, v); }

  PANORM_INLINE void store_part(float *p, int n) const { _mm512_mask_storeu_ps(p, mask(n), v); }

  template <class T>
  PANORM_INLINE void store(T *p) const {
    _mm256_storeu_si256((__m256i *)p, narrowed(p));
  }

  template <class T>
  PANORM_INLINE void store_part(T *p, int n) const {
    _mm256_mask_storeu_epi16(p, mask(n), narrowed(p));
  }

  PANORM_INLINE void store(i8 *p) const {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
  }

  PANORM_INLINE void store_part(i8 *p, int n) const {
    _mm_mask_storeu_epi8(p, mask(n), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
  }
};

PANORM_INLINE void store_together(i8 *p, F32 a, F32 b, F32 c, F32 d) {
  __m512i ab = _mm512_packs_epi32(_mm512_cvtps_epi32(a.v), _mm512_cvtps_epi32(b.v));
  __m512i cd = _mm512_packs_epi32(_mm512_cvtps_epi32(c.v), _mm512_cvtps_epi32(d.v));
  // It packs each quarter by itself.
  __m512i at = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(p, _mm512_permutexvar_epi32(at, _mm512_packs_epi16(ab, cd)));
}

PANORM_INLINE F32 operator+(F32 a, F32 b) { return {_mm512_add_ps(a.v, b.v)}; }

PANORM_INLINE F32 operator-(F32 a, F32 b) { return {_mm512_sub_ps(a.v, b.v)}; }

PANORM_INLINE F32 operator*(F32 a, F32 b) { return {_mm512_mul_ps(a.v, b.v)}; }

PANORM_INLINE F32 operator/(F32 a, F32 b) { return {_mm512_div_ps(a.v, b.v)}; }

PANORM_INLINE F32 fma(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }

PANORM_INLINE F32 cap(F32 a, float limit) { return {_mm512_min_ps(a.v, _mm512_set1_ps(limit))}; }

PANORM_INLINE F32 select_negative(F32 sign, F32 negative, F32 other) {
  return {
      _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(sign.v)), other.v, negative.v)};
}

// The first n lanes; +0 beyond.
PANORM_INLINE F32 first(F32 a, int n) { return {_mm512_maskz_mov_ps(F32::mask(n), a.v)}; }

// The same, as the last lanes; +0 before.
PANORM_INLINE F32 first_to_end(F32 a, int n) {
  return {_mm512_maskz_expand_ps((__mmask16)(0xffff0000u >> n), a.v)};
}

PANORM_INLINE F32 magnitude(F32 a) { return {_mm512_andnot_ps(_mm512_set1_ps(-0.0f), a.v)}; }

PANORM_INLINE F32 max_magnitude(F32 a, F32 b) {
  return {
      _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}

PANORM_INLINE float largest(F32 a) {
  return bit_cast<float>(_mm512_reduce_max_epi32(_mm512_castps_si512(a.v)));
}

PANORM_INLINE F32 shift_to_exponent(F32 a) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a.v), 23))};
}

PANORM_INLINE float fold(F32 a) {
  __m256 y = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

PANORM_INLINE F32 upper_halves(F32 a) {
  return {_mm512_and_ps(a.v, _mm512_castsi512_ps(_mm512_set1_epi32(0xffff0000)))};
}

// A register of bf16.
struct Halves {
  static constexpr int lanes = 32;
  __m512i v;

  static PANORM_INLINE __mmask32 mask(int n) { return (__mmask32)((1ull << n) - 1); }

  static PANORM_INLINE Halves load(const bf16 *p) { return {_mm512_loadu_si512(p)}; }

  static PANORM_INLINE Halves load_part(const bf16 *p, int n) {
    return {_mm512_maskz_loadu_epi16(mask(n), p)};
  }

  PANORM_INLINE void store(bf16 *p) const { _mm512_storeu_si512(p, v); }

  PANORM_INLINE void store_part(bf16 *p, int n) const { _mm512_mask_storeu_epi16(p, mask(n), v); }
};

// Elements 0, 2, 4 ... of it, and 1, 3, 5 ...
PANORM_INLINE void split(Halves both, F32 &even, F32 &odd) {
  even = {_mm512_castsi512_ps(_mm512_slli_epi32(both.v, 16))};
  odd = upper_halves({_mm512_castsi512_ps(both.v)});
}

// The other way round, of the upper halves.
PANORM_INLINE Halves merge(F32 even, F32 odd) {
  __m512i low = _mm512_castps_si512(even.v);
  // A byte shift by one element, into every other element.
  return {_mm512_mask_alignr_epi8(_mm512_castps_si512(odd.v), 0x3333333333333333, low, low, 2)};
}

PANORM_INLINE F32 add_half(F32 a) {
  return {_mm512_castsi512_ps(add_half(_mm512_castps_si512(a.v)))};
}

// merge() of the nearest, by their upper and their lower halves: an upper half grows by one where
// the lower one, with the upper one's last bit or-ed to it, is above a half.
PANORM_INLINE Halves merge_nearest(F32 even, F32 odd) {
  __m512i e = _mm512_castps_si512(even.v), o = _mm512_castps_si512(odd.v);
  __m512i upper = _mm512_mask_alignr_epi8(o, 0x3333333333333333, e, e, 2);
  __m512i lower = _mm512_mask_alignr_epi8(e, 0xcccccccccccccccc, o, o, 14);
  __m512i one = _mm512_set1_epi16(1);
  lower = _mm512_ternarylogic_epi32(lower, upper, one, 0xf8);  // lower | (upper & one)
  __mmask32 up = _mm512_cmpgt_epu16_mask(lower, _mm512_set1_epi16((short)0x8000));
  return {_mm512_mask_add_epi16(upper, up, upper, one)};
}

PANORM_INLINE void store_together(f16 *p, F32 a, F32 b) {
  __m512i low = _mm512_castsi256_si512(a.narrowed(p));
  _mm512_storeu_si512(p, _mm512_inserti64x4(low, b.narrowed(p), 1));
}

PANORM_INLINE void store_together(bf16 *p, F32 a, F32 b) {
  // As if a's elements were the even ones; then they are put in order.
  F32 even = {_mm512_castsi512_ps(with_short_nan(a.v))};
  F32 odd = {_mm512_castsi512_ps(with_short_nan(b.v))};
  alignas(64) static const short kInOrder[] = {0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20,
                                               22, 24, 26, 28, 30, 1,  3,  5,  7,  9,  11,
                                               13, 15, 17, 19, 21, 23, 25, 27, 29, 31};
  __m512i at = _mm512_load_si512(kInOrder);
  Halves{_mm512_permutexvar_epi16(at, merge_nearest(even, odd).v)}.store(p);
}

PANORM_INLINE F32 quieted(F32 a) {
  __mmask16 is_nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
  return {_mm512_mask_mov_ps(a.v, is_nan, _mm512_set1_ps(__builtin_nanf("")))};
}

PANORM_INLINE void deinterleave(F32 low, F32 high, F32 &even, F32 &odd) {
  __m512i at = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  even = {_mm512_permutex2var_ps(low.v, at, high.v)};
  odd = {_mm512_permutex2var_ps(low.v, _mm512_add_epi32(at, _mm512_set1_epi32(1)), high.v)};
}

PANORM_INLINE void interleave(F32 even, F32 odd, F32 &low, F32 &high) {
  __m512i at = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  low = {_mm512_permutex2var_ps(even.v, at, odd.v)};
  high = {_mm512_permutex2var_ps(even.v, _mm512_add_epi32(at, _mm512_set1_epi32(8)), odd.v)};
}

struct F64 {
  using elem = double;
  static constexpr int lanes = 8;
  __m512d v;

  static PANORM_INLINE F64 set(double x) { return {_mm512_set1_pd(x)}; }

  static PANORM_INLINE __mmask8 mask(int n) { return (__mmask8)((1u << n) - 1); }

  static PANORM_INLINE F64 load(const double *p) { return {_mm512_loadu_pd(p)}; }

  static PANORM_INLINE F64 load(const float *p) { return {_mm512_cvtps_pd(_mm256_loadu_ps(p))}; }

  static PANORM_INLINE F64 load_part(const double *p, int n) {
    return {_mm512_maskz_loadu_pd(mask(n), p)};
  }

  static PANORM_INLINE F64 load_part(const float *p, int n) {
    return {_mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask(n), p))};
  }

  PANORM_INLINE void store(double *p) const { _mm512_storeu_pd(p, v); }

  PANORM_INLINE void store_part(double *p, int n) const { _mm512_mask_storeu_pd(p, mask(n), v); }
};

PANORM_INLINE F64 operator+(F64 a, F64 b) { return {_mm512_add_pd(a.v, b.v)}; }

PANORM_INLINE F64 operator-(F64 a, F64 b) { return {_mm512_sub_pd(a.v, b.v)}; }

PANORM_INLINE F64 operator*(F64 a, F64 b) { return {_mm512_mul_pd(a.v, b.v)}; }

PANORM_INLINE F64 operator/(F64 a, F64 b) { return {_mm512_div_pd(a.v, b.v)}; }

PANORM_INLINE F64 fma(F64 a, F64 b, F64 c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }

PANORM_INLINE F64 cap(F64 a, double limit) { return {_mm512_min_pd(a.v, _mm512_set1_pd(limit))}; }

PANORM_INLINE F64 select_negative(F64 sign, F64 negative, F64 other) {
  return {
      _mm512_mask_blend_pd(_mm512_movepi64_mask(_mm512_castpd_si512(sign.v)), other.v, negative.v)};
}

PANORM_INLINE F64 first(F64 a, int n) { return {_mm512_maskz_mov_pd(F64::mask(n), a.v)}; }

PANORM_INLINE F64 magnitude(F64 a) { return {_mm512_andnot_pd(_mm512_set1_pd(-0.0), a.v)}; }

PANORM_INLINE F64 shift_to_exponent(F64 a) {
  return {_mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a.v), 52))};
}

PANORM_INLINE double fold(F64 a) {
  __m256d y = _mm256_add_pd(_mm512_castpd512_pd256(a.v), _mm512_extractf64x4_pd(a.v, 1));
  __m128d x = _mm_add_pd(_mm256_castpd256_pd128(y), _mm256_extractf128_pd(y, 1));
  return _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
}

// How many blocks the registers hold.
constexpr int kHeldBlocks = 8;

constexpr bool kStreams = true;

PANORM_INLINE void stream_bytes(void *to, const void *from, int n) {
  PANORM_UNROLL
  for (int i = 0; i < n; i += (int)sizeof(__m512i)) {
    _mm512_stream_si512((__m512i *)((char *)to + i), _mm512_load_si512((const char *)from + i));
  }
}

PANORM_INLINE void stream_fence() { _mm_sfence(); }
