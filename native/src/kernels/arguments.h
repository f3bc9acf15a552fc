// What all kernels share: the types in which rows of a type are computed, a call's options, its
// gain and bias, and the range in which f32 is safe.

template <class X>
struct TypesOf {
  using Statistic = float;
  using Natural = F32;
};

template <>
struct TypesOf<double> {
  using Statistic = double;
  using Natural = F64;
};

template <>
struct TypesOf<bf16> {
  using Statistic = float;
  using Natural = Bf16Rows;
};

// The type of the statistics of rows of X.
template <class X>
using Statistic = typename TypesOf<X>::Statistic;

// The vector in which rows of X are computed.
#if defined(PANORM_WIDE)
template <class X>
using Compute = F64;
#else
template <class X>
using Compute = typename TypesOf<X>::Natural;
#endif

template <class T>
constexpr int kTypeCode = -1;
template <>
constexpr int kTypeCode<float> = PANORM_F32;
template <>
constexpr int kTypeCode<double> = PANORM_F64;
template <>
constexpr int kTypeCode<f16> = PANORM_F16;
template <>
constexpr int kTypeCode<bf16> = PANORM_BF16;
template <>
constexpr int kTypeCode<i8> = PANORM_I8;

// The parts of a batch, in a call's options: they change how memory is walked.
constexpr int kParts = PANORM_ALL_OPTIONS & -PANORM_PARTS;

PANORM_INLINE bool known(int options) {
  return !(options & ~PANORM_ALL_OPTIONS) &&
         (options & (PANORM_EPSILON_OUTSIDE | PANORM_EPSILON_FLOOR)) !=
             (PANORM_EPSILON_OUTSIDE | PANORM_EPSILON_FLOOR);
}

// Whether an operator can normalize so many columns of a row that has any.
template <class Operator>
PANORM_INLINE bool can_span(long long span, long long width) {
  return span >= 1 && (Operator::centred ? span == width : span <= width);
}

struct Settings {
  double epsilon, gain_offset, divisor;
  int options;

  int epsilon_mode() const { return options & 3; }

  // Of all parts of a batch.
  long long elements(long long rows, long long groups, long long width) const {
    return (options / PANORM_PARTS + 1) * rows * groups * width;
  }
};

// Whether rows of X have ways of their own where that is faster: not f64, nor where the code is to
// be small.
#if defined(PANORM_COMPACT)
template <class X>
constexpr bool kForSpeed = false;
#else
template <class X>
constexpr bool kForSpeed = sizeof(X) < 8;
#endif

// What a call asks for, decided once so that the usual calls run loops without branches: a gain of
// x's type, with an element a column; that and such a bias (each with epsilon inside the root and
// no other option); anything else.
enum class Form { kGain, kGainAndBias, kAnything };

// gain or bias as one group of one row meets it.
struct Parameter {
  const void *p;  // null: absent
  bool f32, one;  // elements are f32 although x is not; the same one for all columns

  template <class X, Form form = Form::kAnything>
  static PANORM_INLINE Parameter of(const void *p, int options, long long row, long long group,
                                    long long width) {
    if constexpr (form != Form::kAnything) {
      bool apart = p && !(options & PANORM_GAIN_SHARED);
      return {apart ? (const X *)p + group * width : p, false, false};
    }
    bool f32 = options & PANORM_GAIN_F32;
    int layout = options & PANORM_GAIN_PER_ROW;
    long long index = layout == PANORM_GAIN_PER_COLUMN  ? group * width
                      : layout == PANORM_GAIN_SHARED    ? 0
                      : layout == PANORM_GAIN_PER_GROUP ? group
                                                        : row;
    if (p) p = (const char *)p + index * (f32 ? 4 : (long long)sizeof(X));
    return {p, f32, layout >= PANORM_GAIN_PER_GROUP};
  }

  // Of an element a column.
  template <class V, class X, class N>
  PANORM_INLINE Block<V> at(long long i, N n) const {
    return sizeof(X) == 4 || f32 ? load<V>((const float *)p + i, n) : load<V>((const X *)p + i, n);
  }

  // The gain with its offset, of which 0 leaves it as it is.
  template <class V, class X, class N>
  PANORM_INLINE Block<V> plus(double offset, long long i, N n) const {
    Block<V> b = at<V, X>(i, n);
    auto o = (typename V::elem)offset;
    if (o != 0) b = b + splat<V>(o);
    return b;
  }

  // That by registers: what gives register u of a block, or of the rest of a row, in T, its type.
  template <class V, class T>
  PANORM_INLINE auto registers(long long i, All) const {
    const T *from = (const T *)p + i;
    return [=](int u) PANORM_INLINE_LAMBDA { return V::load(from + u * V::lanes); };
  }

  template <class V, class T>
  PANORM_INLINE auto registers(long long i, int n) const {
    Block<V> b = p ? load_apart<V>((const T *)p + i, n) : splat<V>(0);
    return [=](int u) PANORM_INLINE_LAMBDA { return b.v[u]; };
  }

  // Of the one element.
  template <class V, class X>
  PANORM_INLINE auto one_register() const {
    V v = V::set(!p ? 0 : sizeof(X) == 4 || f32 ? *(const float *)p : widen(*(const X *)p));
    return [=](int) PANORM_INLINE_LAMBDA { return v; };
  }
};

// t * (gain + offset) + bias, or what there is of it, in a block or the rest of a row. gain and
// bias are of one type and layout.
template <class V, class X, class N>
PANORM_INLINE Block<V> scale_and_shift(const Block<V> &t, const Parameter &gain,
                                       const Parameter &bias, double gain_offset, long long i,
                                       N n) {
  // By registers: blocks of all three would not stay in few of them.
  auto apply = [&](auto gain_at, auto bias_at) PANORM_INLINE_LAMBDA {
    if (!gain.p) return each<V>([&](int u) PANORM_INLINE_LAMBDA { return t.v[u] + bias_at(u); });
    if (!bias.p) return each<V>([&](int u) PANORM_INLINE_LAMBDA { return t.v[u] * gain_at(u); });
    return each<V>([&](int u) PANORM_INLINE_LAMBDA { return fma(t.v[u], gain_at(u), bias_at(u)); });
  };
  auto offset = [&](auto gain_at, auto bias_at) PANORM_INLINE_LAMBDA {
    const auto o = (typename V::elem)gain_offset;
    if (o == 0) return apply(gain_at, bias_at);
    return apply([&](int u) PANORM_INLINE_LAMBDA { return gain_at(u) + V::set(o); }, bias_at);
  };
  if (!gain.p && !bias.p) return t;
  const bool one = gain.one || bias.one, f32 = sizeof(X) == 4 || gain.f32 || bias.f32;
  if (one) return offset(gain.one_register<V, X>(), bias.one_register<V, X>());
  if (f32) return offset(gain.registers<V, float>(i, n), bias.registers<V, float>(i, n));
  return offset(gain.registers<V, X>(i, n), bias.registers<V, X>(i, n));
}

// Whether the root of this was computed without overflow or loss by underflow.
PANORM_INLINE bool safe(float radicand) {
  return radicand >= 0x1p-96f && radicand < __builtin_inff();
}

PANORM_INLINE bool safe(double) { return true; }

// sum / divisor. For a power of two that is a multiplication with the same bits, which spares a
// short row the wait for a division.
template <class E>
PANORM_INLINE E mean_of(E sum, const Settings &s) {
  E divisor = (E)s.divisor, reciprocal = reciprocal_of_power_of_two(divisor);
  return reciprocal > 0 ? sum * reciprocal : sum / divisor;
}

// Whether a sum of gradients was computed without overflow or loss by underflow.
PANORM_INLINE bool safe_gradient(float sum) {
  float m = bit_cast<float>(bits(sum) & 0x7fffffffu);
  return m == 0 || (m >= 0x1p-80f && m < __builtin_inff());
}

PANORM_INLINE bool safe_gradient(double) { return true; }

// Gradients of gain and bias add up the rows in order, in blocks of this many (row, group) pairs,
// the blocks then in order: so the bits do not depend on how the work is cut, and the error grows
// with the number of blocks only.
constexpr long long kRowBlock = 16;
