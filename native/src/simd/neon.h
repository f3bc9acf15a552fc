// 128-bit vectors: AArch64's Advanced SIMD.

// Adds what makes the upper half of an f32 the nearest bf16, ties to even, unless it is a NaN with
// ones below.
PANORM_INLINE uint32x4_t add_half(uint32x4_t u) {
  uint32x4_t odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
  return vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
}

struct F32 {
  using elem = float;
  static constexpr int lanes = 4;
  float32x4_t v;

  static PANORM_INLINE F32 set(float x) { return {vdupq_n_f32(x)}; }

  static PANORM_INLINE F32 load(const float *p) { return {vld1q_f32(p)}; }

  static PANORM_INLINE F32 load(const f16 *p) {
    return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&p->bits)))};
  }

  PANORM_INLINE void store(float *p) const { vst1q_f32(p, v); }

  PANORM_INLINE void store(f16 *p) const {
    vst1_u16(&p->bits, vreinterpret_u16_f16(vcvt_f16_f32(v)));
  }

  // The nearest bf16 in upper halves.
  PANORM_INLINE uint32x4_t nearest() const {
    uint32x4_t u = vreinterpretq_u32_f32(v);
    uint32x4_t quiet = vorrq_u32(u, vdupq_n_u32(0x400000));
    return vbslq_u32(vceqq_f32(v, v), add_half(u), quiet);
  }

  PANORM_INLINE void store(bf16 *p) const { vst1_u16(&p->bits, vshrn_n_u32(nearest(), 16)); }

  PANORM_INLINE void store(i8 *p) const {
    int16x4_t half = vqmovn_s32(vcvtnq_s32_f32(v));
    int32x2_t quarter = vreinterpret_s32_s8(vqmovn_s16(vcombine_s16(half, half)));
    int bytes = vget_lane_s32(quarter, 0);
    __builtin_memcpy(p, &bytes, lanes);
  }

  template <class T>
  static PANORM_INLINE F32 load_part(const T *p, int n) {
    return load_by_copy<F32>(p, n);
  }

  template <class T>
  PANORM_INLINE void store_part(T *p, int n) const {
    store_by_copy(*this, p, n);
  }
};

PANORM_INLINE void store_together(i8 *p, F32 a, F32 b, F32 c, F32 d) {
  int16x8_t ab = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(a.v)), vcvtnq_s32_f32(b.v));
  int16x8_t cd = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(c.v)), vcvtnq_s32_f32(d.v));
  vst1q_s8(p, vqmovn_high_s16(vqmovn_s16(ab), cd));
}

PANORM_INLINE void store_together(f16 *p, F32 a, F32 b) {
  float16x8_t both = vcvt_high_f16_f32(vcvt_f16_f32(a.v), b.v);
  vst1q_u16(&p->bits, vreinterpretq_u16_f16(both));
}

PANORM_INLINE void store_together(bf16 *p, F32 a, F32 b) {
  uint16x8_t low = vreinterpretq_u16_u32(a.nearest()), high = vreinterpretq_u16_u32(b.nearest());
  vst1q_u16(&p->bits, vuzp2q_u16(low, high));
}

PANORM_INLINE F32 operator+(F32 a, F32 b) { return {vaddq_f32(a.v, b.v)}; }

PANORM_INLINE F32 operator-(F32 a, F32 b) { return {vsubq_f32(a.v, b.v)}; }

PANORM_INLINE F32 operator*(F32 a, F32 b) { return {vmulq_f32(a.v, b.v)}; }

PANORM_INLINE F32 operator/(F32 a, F32 b) { return {vdivq_f32(a.v, b.v)}; }

PANORM_INLINE F32 fma(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }

PANORM_INLINE F32 cap(F32 a, float limit) {
  float32x4_t l = vdupq_n_f32(limit);
  return {vbslq_f32(vcltq_f32(a.v, l), a.v, l)};  // a NaN becomes the limit, as on the others
}

PANORM_INLINE F32 select_negative(F32 sign, F32 negative, F32 other) {
  return {vbslq_f32(vcltzq_s32(vreinterpretq_s32_f32(sign.v)), negative.v, other.v)};
}

// The first n lanes; +0 beyond.
PANORM_INLINE F32 first(F32 a, int n) {
  static constexpr unsigned kLane[] = {0, 1, 2, 3};
  uint32x4_t kept = vcltq_u32(vld1q_u32(kLane), vdupq_n_u32(n));
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.v), kept))};
}

PANORM_INLINE F32 magnitude(F32 a) { return {vabsq_f32(a.v)}; }

PANORM_INLINE F32 max_magnitude(F32 a, F32 b) {
  return {vreinterpretq_f32_s32(vmaxq_s32(vreinterpretq_s32_f32(a.v), vreinterpretq_s32_f32(b.v)))};
}

PANORM_INLINE float largest(F32 a) {
  return bit_cast<float>(vmaxvq_s32(vreinterpretq_s32_f32(a.v)));
}

PANORM_INLINE F32 shift_to_exponent(F32 a) {
  return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a.v), 23))};
}

PANORM_INLINE float fold(F32 a) {
  float32x2_t x = vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(x, 0) + vget_lane_f32(x, 1);
}

PANORM_INLINE F32 upper_halves(F32 a) {
  uint32x4_t u = vreinterpretq_u32_f32(a.v);
  return {vreinterpretq_f32_u32(vandq_u32(u, vdupq_n_u32(0xffff0000)))};
}

// A register of bf16.
struct Halves {
  static constexpr int lanes = 8;
  uint16x8_t v;

  static PANORM_INLINE Halves load(const bf16 *p) { return {vld1q_u16(&p->bits)}; }

  static PANORM_INLINE Halves load_part(const bf16 *p, int n) { return load_by_copy<Halves>(p, n); }

  PANORM_INLINE void store(bf16 *p) const { vst1q_u16(&p->bits, v); }

  PANORM_INLINE void store_part(bf16 *p, int n) const { store_by_copy(*this, p, n); }
};

// Elements 0, 2, 4 and 6 of it, and 1, 3, 5 and 7.
PANORM_INLINE void split(Halves halves, F32 &even, F32 &odd) {
  uint32x4_t both = vreinterpretq_u32_u16(halves.v);
  even = {vreinterpretq_f32_u32(vshlq_n_u32(both, 16))};
  odd = upper_halves({vreinterpretq_f32_u32(both)});
}

// The other way round, of the upper halves.
PANORM_INLINE Halves merge(F32 even, F32 odd) {
  uint32x4_t high = vreinterpretq_u32_f32(odd.v), low = vreinterpretq_u32_f32(even.v);
  return {vreinterpretq_u16_u32(vsriq_n_u32(high, low, 16))};
}

PANORM_INLINE F32 add_half(F32 a) {
  return {vreinterpretq_f32_u32(add_half(vreinterpretq_u32_f32(a.v)))};
}

// merge() of the nearest, by their upper and their lower halves: an upper half grows by one where
// the lower one, with the upper one's last bit or-ed to it, is above a half.
PANORM_INLINE Halves merge_nearest(F32 even, F32 odd) {
  uint32x4_t e = vreinterpretq_u32_f32(even.v), o = vreinterpretq_u32_f32(odd.v);
  uint16x8_t upper = vreinterpretq_u16_u32(vsriq_n_u32(o, e, 16));
  uint16x8_t lower = vreinterpretq_u16_u32(vsliq_n_u32(e, o, 16));
  lower = vorrq_u16(lower, vandq_u16(upper, vdupq_n_u16(1)));
  return {vsubq_u16(upper, vcgtq_u16(lower, vdupq_n_u16(0x8000)))};
}

PANORM_INLINE F32 quieted(F32 a) {
  return {vbslq_f32(vceqq_f32(a.v, a.v), a.v, vdupq_n_f32(__builtin_nanf("")))};
}

PANORM_INLINE void deinterleave(F32 low, F32 high, F32 &even, F32 &odd) {
  even = {vuzp1q_f32(low.v, high.v)};
  odd = {vuzp2q_f32(low.v, high.v)};
}

PANORM_INLINE void interleave(F32 even, F32 odd, F32 &low, F32 &high) {
  low = {vzip1q_f32(even.v, odd.v)};
  high = {vzip2q_f32(even.v, odd.v)};
}

struct F64 {
  using elem = double;
  static constexpr int lanes = 2;
  float64x2_t v;

  static PANORM_INLINE F64 set(double x) { return {vdupq_n_f64(x)}; }

  static PANORM_INLINE F64 load(const double *p) { return {vld1q_f64(p)}; }

  static PANORM_INLINE F64 load(const float *p) { return {vcvt_f64_f32(vld1_f32(p))}; }

  PANORM_INLINE void store(double *p) const { vst1q_f64(p, v); }

  template <class T>
  static PANORM_INLINE F64 load_part(const T *p, int n) {
    return load_by_copy<F64>(p, n);
  }

  template <class T>
  PANORM_INLINE void store_part(T *p, int n) const {
    store_by_copy(*this, p, n);
  }
};

PANORM_INLINE F64 operator+(F64 a, F64 b) { return {vaddq_f64(a.v, b.v)}; }

PANORM_INLINE F64 operator-(F64 a, F64 b) { return {vsubq_f64(a.v, b.v)}; }

PANORM_INLINE F64 operator*(F64 a, F64 b) { return {vmulq_f64(a.v, b.v)}; }

PANORM_INLINE F64 operator/(F64 a, F64 b) { return {vdivq_f64(a.v, b.v)}; }

PANORM_INLINE F64 fma(F64 a, F64 b, F64 c) { return {vfmaq_f64(c.v, a.v, b.v)}; }

PANORM_INLINE F64 cap(F64 a, double limit) {
  float64x2_t l = vdupq_n_f64(limit);
  return {vbslq_f64(vcltq_f64(a.v, l), a.v, l)};
}

PANORM_INLINE F64 select_negative(F64 sign, F64 negative, F64 other) {
  return {vbslq_f64(vcltzq_s64(vreinterpretq_s64_f64(sign.v)), negative.v, other.v)};
}

PANORM_INLINE F64 first(F64 a, int) { return {vsetq_lane_f64(0, a.v, 1)}; }

PANORM_INLINE F64 magnitude(F64 a) { return {vabsq_f64(a.v)}; }

PANORM_INLINE F64 shift_to_exponent(F64 a) {
  return {vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(a.v), 52))};
}

PANORM_INLINE double fold(F64 a) { return vgetq_lane_f64(a.v, 0) + vgetq_lane_f64(a.v, 1); }

// How many blocks the registers hold.
constexpr int kHeldBlocks = 2;

constexpr bool kStreams = false;  // no stores past the caches

PANORM_INLINE void stream_bytes(void *, const void *, int) {}

PANORM_INLINE void stream_fence() {}
