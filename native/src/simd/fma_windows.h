// MinGW's fma() rounds the product first. This one is exact: whole numbers of 128 bits, the product
// and c each with its leading bit at 2^125, and bits shifted out kept in the lowest ("sticky").
inline double fma1(double a, double b, double c) {
  using u64 = unsigned long long;
  using u128 = unsigned __int128;
  constexpr u64 kSign = 1ull << 63, kMantissa = (1ull << 52) - 1;
  struct Number {
    u128 m;
    int e;  // value = m * 2^e
  };
  auto top = [](u128 m) {
    return m >> 64 ? 127 - __builtin_clzll((u64)(m >> 64)) : 63 - __builtin_clzll((u64)m);
  };
  auto split = [](double x) {
    u64 u = bits(x) & ~kSign;
    return u >> 52 ? Number{(u & kMantissa) | (kMantissa + 1), (int)(u >> 52) - 1075}
                   : Number{u, -1074};
  };
  auto shift_right = [](u128 m, int n) {
    if (n > 127) return (u128)1;
    u128 kept = m >> n;
    return kept << n == m ? kept : kept | 1;
  };
  auto lead = [&](Number x) {
    int left = 125 - top(x.m);
    return Number{x.m << left, x.e - left};
  };

  const u64 infinity = 0x7ffull << 52;
  u64 ua = bits(a) & ~kSign, ub = bits(b) & ~kSign, uc = bits(c) & ~kSign;
  if (ua < infinity && ub < infinity && uc >= infinity) return c;  // though a * b overflow
  if (ua >= infinity || ub >= infinity || !ua || !ub) return a * b + c;
  if (!uc) return a * b;
  Number na = split(a), nb = split(b);
  Number p = lead({na.m * nb.m, na.e + nb.e}), q = lead(split(c));
  u64 sign = (bits(a) ^ bits(b)) & kSign;
  bool subtract = sign != (bits(c) & kSign);
  if (p.e < q.e || (p.e == q.e && p.m < q.m)) {
    Number swap = p;
    p = q;
    q = swap;
    sign = bits(c) & kSign;
  }
  q.m = shift_right(q.m, p.e - q.e);
  u128 m = subtract ? p.m - q.m : p.m + q.m;
  if (!m) return 0;

  // 53 bits, or fewer for a subnormal result; rounded to nearest, ties to even.
  int e = p.e, drop = top(m) - 52;
  if (e + drop < -1074) drop = -1074 - e;
  if (drop > 0) {
    u128 kept = drop > 127 ? 0 : m >> drop, rest = drop > 127 ? 1 : m - (kept << drop);
    u128 half = drop > 127 ? 2 : (u128)1 << (drop - 1);
    m = kept + (rest > half || (rest == half && (kept & 1)));
    e += drop;
  } else {
    m <<= -drop;
    e += drop;
  }
  if (m >> 53) {
    m >>= 1;
    e += 1;
  }
  if (e > 971) return bit_cast<double>(sign | infinity);
  u64 u = m >> 52 ? ((u64)m & kMantissa) | (u64)(e + 1075) << 52 : (u64)m;
  return bit_cast<double>(sign | u);
}
