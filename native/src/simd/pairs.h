// bf16 rows in f32 arithmetic: as one vector of the even and one of the odd elements. A 16-bit
// element is the upper half of an f32, so a shift and a mask take apart twice as many as a register
// holds, without a shuffle. Every lane holds the element that it would hold anyway, so the bits of
// a reduction stay; only fold() knows where the lanes are.
//
// Built on the F32 and the Halves of an instruction set and its split(), merge(), merge_nearest(),
// add_half(), upper_halves(), deinterleave(), interleave() and quieted(). A NaN has zeros in its
// lower half here, which makes rounding by addition safe: values come from bf16 or are made so on
// the way in.

struct F32Pairs {
  using elem = float;
  static constexpr int lanes = 2 * F32::lanes;
  F32 even, odd;

  static PANORM_INLINE F32Pairs set(float x) {
    F32 v = F32::set(x == x ? x : __builtin_nanf(""));
    return {v, v};
  }

  static PANORM_INLINE F32Pairs of(Halves both) {
    F32Pairs r;
    split(both, r.even, r.odd);
    return r;
  }

  static PANORM_INLINE F32Pairs load(const bf16 *p) { return of(Halves::load(p)); }

  static PANORM_INLINE F32Pairs load_part(const bf16 *p, int n) {
    return of(Halves::load_part(p, n));
  }

  static PANORM_INLINE F32Pairs load(const float *p) {
    F32Pairs r;
    deinterleave(quieted(F32::load(p)), quieted(F32::load(p + F32::lanes)), r.even, r.odd);
    return r;
  }

  static PANORM_INLINE F32Pairs load_part(const float *p, int n) {
    return load_by_copy<F32Pairs>(p, n);
  }

  PANORM_INLINE void store(bf16 *p) const { merge_nearest(even, odd).store(p); }

  PANORM_INLINE void store_part(bf16 *p, int n) const { merge_nearest(even, odd).store_part(p, n); }

  template <class T>
  PANORM_INLINE void store(T *p) const {
    F32 low, high;
    interleave(even, odd, low, high);
    low.store(p);
    high.store(p + F32::lanes);
  }

  template <class T>
  PANORM_INLINE void store_part(T *p, int n) const {
    store_by_copy(*this, p, n);
  }
};

PANORM_INLINE void store_together(i8 *p, F32Pairs a, F32Pairs b) {
  F32 low[2], high[2];
  interleave(a.even, a.odd, low[0], high[0]);
  interleave(b.even, b.odd, low[1], high[1]);
  store_together(p, low[0], high[0], low[1], high[1]);
}

PANORM_INLINE F32Pairs operator+(F32Pairs a, F32Pairs b) {
  return {a.even + b.even, a.odd + b.odd};
}

PANORM_INLINE F32Pairs operator-(F32Pairs a, F32Pairs b) {
  return {a.even - b.even, a.odd - b.odd};
}

PANORM_INLINE F32Pairs operator*(F32Pairs a, F32Pairs b) {
  return {a.even * b.even, a.odd * b.odd};
}

PANORM_INLINE F32Pairs operator/(F32Pairs a, F32Pairs b) {
  return {a.even / b.even, a.odd / b.odd};
}

PANORM_INLINE F32Pairs fma(F32Pairs a, F32Pairs b, F32Pairs c) {
  return {fma(a.even, b.even, c.even), fma(a.odd, b.odd, c.odd)};
}

PANORM_INLINE F32Pairs cap(F32Pairs a, float limit) {
  return {cap(a.even, limit), cap(a.odd, limit)};
}

PANORM_INLINE F32Pairs select_negative(F32Pairs sign, F32Pairs negative, F32Pairs other) {
  return {select_negative(sign.even, negative.even, other.even),
          select_negative(sign.odd, negative.odd, other.odd)};
}

PANORM_INLINE F32Pairs first(F32Pairs a, int n) {
  return {first(a.even, (n + 1) / 2), first(a.odd, n / 2)};
}

PANORM_INLINE F32Pairs magnitude(F32Pairs a) { return {magnitude(a.even), magnitude(a.odd)}; }

PANORM_INLINE F32Pairs max_magnitude(F32Pairs a, F32Pairs b) {
  return {max_magnitude(a.even, b.even), max_magnitude(a.odd, b.odd)};
}

PANORM_INLINE float largest(F32Pairs a) { return largest(max_magnitude(a.even, a.odd)); }

PANORM_INLINE F32Pairs shift_to_exponent(F32Pairs a) {
  return {shift_to_exponent(a.even), shift_to_exponent(a.odd)};
}

PANORM_INLINE F32Pairs rounded(F32Pairs a, bf16) {
  return {upper_halves(add_half(a.even)), upper_halves(add_half(a.odd))};
}

PANORM_INLINE void store_rounded(bf16 *p, F32Pairs a) { merge(a.even, a.odd).store(p); }

PANORM_INLINE float fold(F32Pairs a) { return fold(a.even) + fold(a.odd); }

using Bf16Rows = F32Pairs;
