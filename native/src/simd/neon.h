// 128-bit vectors: AArch64's Advanced SIMD.

struct F32 {
  using elem = float;
  static constexpr int lanes = 4;
  template <class T>
  static constexpr bool masks = false;
  float32x4_t v;

  static PANORM_INLINE F32 set(float x) { return {vdupq_n_f32(x)}; }

  static PANORM_INLINE F32 load(const float *p) { return {vld1q_f32(p)}; }

  static PANORM_INLINE F32 load(const f16 *p) {
    return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&p->bits)))};
  }

  static PANORM_INLINE F32 load(const bf16 *p) {
    return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(&p->bits), 16))};
  }

  PANORM_INLINE void store(float *p) const { vst1q_f32(p, v); }

  PANORM_INLINE void store(f16 *p) const {
    vst1_u16(&p->bits, vreinterpret_u16_f16(vcvt_f16_f32(v)));
  }

  PANORM_INLINE void store(bf16 *p) const {
    uint32x4_t u = vreinterpretq_u32_f32(v);
    uint32x4_t odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    uint32x4_t quiet = vorrq_u32(u, vdupq_n_u32(0x400000));
    vst1_u16(&p->bits, vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16));
  }

  PANORM_INLINE void store(i8 *p) const {
    int16x4_t half = vqmovn_s32(vcvtnq_s32_f32(v));
    int32x2_t quarter = vreinterpret_s32_s8(vqmovn_s16(vcombine_s16(half, half)));
    int bytes = vget_lane_s32(quarter, 0);
    __builtin_memcpy(p, &bytes, lanes);
  }
};

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

PANORM_INLINE F32 magnitude(F32 a) { return {vabsq_f32(a.v)}; }

PANORM_INLINE F32 max_magnitude(F32 a, F32 b) {
  return {vreinterpretq_f32_s32(vmaxq_s32(vreinterpretq_s32_f32(a.v), vreinterpretq_s32_f32(b.v)))};
}

PANORM_INLINE F32 shift_to_exponent(F32 a) {
  return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a.v), 23))};
}

PANORM_INLINE float fold(F32 a) {
  float32x2_t x = vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(x, 0) + vget_lane_f32(x, 1);
}

struct F64 {
  using elem = double;
  static constexpr int lanes = 2;
  template <class T>
  static constexpr bool masks = false;
  float64x2_t v;

  static PANORM_INLINE F64 set(double x) { return {vdupq_n_f64(x)}; }

  static PANORM_INLINE F64 load(const double *p) { return {vld1q_f64(p)}; }

  static PANORM_INLINE F64 load(const float *p) { return {vcvt_f64_f32(vld1_f32(p))}; }

  PANORM_INLINE void store(double *p) const { vst1q_f64(p, v); }
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

PANORM_INLINE F64 magnitude(F64 a) { return {vabsq_f64(a.v)}; }

PANORM_INLINE F64 max_magnitude(F64 a, F64 b) {
  uint64x2_t above = vcgtq_s64(vreinterpretq_s64_f64(b.v), vreinterpretq_s64_f64(a.v));
  return {vbslq_f64(above, b.v, a.v)};
}

PANORM_INLINE F64 shift_to_exponent(F64 a) {
  return {vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(a.v), 52))};
}

PANORM_INLINE double fold(F64 a) { return vgetq_lane_f64(a.v, 0) + vgetq_lane_f64(a.v, 1); }
