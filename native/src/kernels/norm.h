// RMSNorm and LayerNorm, forward: one algorithm for all types, options and instruction sets.
//
// V is the vector the arithmetic runs in, X the type of x and aux, Y that of y. A row whose
// statistics leave the safe range of f32 is taken again in f64, by the kernel of the wide unit.

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

// The parts of a batch, in a call's options: they change where a row is, not what is computed.
constexpr int kParts = PANORM_ALL_OPTIONS & -PANORM_PARTS;

PANORM_INLINE bool known(int options) {
  return !(options & ~PANORM_ALL_OPTIONS) &&
         (options & (PANORM_EPSILON_OUTSIDE | PANORM_EPSILON_FLOOR)) !=
             (PANORM_EPSILON_OUTSIDE | PANORM_EPSILON_FLOOR);
}

struct Settings {
  double epsilon, gain_offset, divisor;
  int options;

  int epsilon_mode() const { return options & 3; }
  int parts() const { return options / PANORM_PARTS + 1; }
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

  template <class V, class X, class N>
  PANORM_INLINE Block<V> at(long long i, N n) const {
    return sizeof(X) == 4 || f32 ? load_any<V, float>(i, n) : load_any<V, X>(i, n);
  }

 private:
  template <class V, class T, class N>
  PANORM_INLINE Block<V> load_any(long long i, N n) const {
    return one ? splat<V>(widen(*(const T *)p)) : load<V>((const T *)p + i, n);
  }
};

// One group of one row.
template <class X, class Y>
struct Row {
  const X *x;
  X *aux;
  Parameter gain, bias;
  Y *y;
  Statistic<X> *stat0, *stat1;  // each may be null
  long long width, span;
  bool streams;  // y goes past the caches
  bool fetches;  // y is fetched before it is written
};

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

template <Form form, class E>
PANORM_INLINE E radicand(E mean_square, const Settings &s) {
  bool inside = form != Form::kAnything || s.epsilon_mode() == PANORM_EPSILON_INSIDE;
  return inside ? mean_square + (E)s.epsilon : mean_square;
}

template <Form form, class E>
PANORM_INLINE E inverse_root(E radicand, const Settings &s) {
  E root = sqrt1(radicand), epsilon = (E)s.epsilon;
  if constexpr (form == Form::kAnything) {
    if (s.epsilon_mode() == PANORM_EPSILON_OUTSIDE) root = root + epsilon;
    if (s.epsilon_mode() == PANORM_EPSILON_FLOOR) root = root < epsilon ? epsilon : root;
  }
  return 1 / root;
}

// aux += x, rounded to X, in a block of columns.
template <class V, class X, class N>
PANORM_INLINE Block<V> add_to_aux(const X *x, X *aux, N n) {
  Block<V> sum = rounded_to<X>(load<V>(x, n) + load<V>(aux, n));
  store_rounded<V>(aux, sum, n);
  return sum;
}

// silu() of the gate: by way of memory, so as to be compiled once.
template <class V, class X, class N>
__attribute__((noinline)) void open_gate(Block<V> &b, const X *gate, N n) {
  b = load<V>(gate, n);
  for (int u = 0; u < Block<V>::registers; ++u) b.v[u] = silu(b.v[u]);
}

// Gain, bias and gate of the calls that are not usual.
template <class V, class X, class Y, class N>
PANORM_INLINE Block<V> finish_block(Block<V> t, const Row<X, Y> &row, long long i, N n,
                                    const Settings &s) {
  using E = typename V::elem;
  E offset = (E)s.gain_offset;
  if (sizeof(X) == 2 && s.options & PANORM_ROUND_BEFORE_GAIN) t = rounded_to<X>(t);
  if (row.gain.p) {
    Block<V> g = row.gain.template at<V, X>(i, n);
    if (offset != 0) g = g + splat<V>(offset);
    t = row.bias.p ? fma(t, g, row.bias.template at<V, X>(i, n)) : t * g;
  } else if (row.bias.p) {
    t = t + row.bias.template at<V, X>(i, n);
  }
  if (s.options & PANORM_AUX_GATE) {
    Block<V> b;
    open_gate(b, row.aux + i, n);
    t = t * b;
  }
  return t;
}

// The same for the rest of a row, in a function apart: with its masks it is a large one.
template <class V, class X, class Y>
__attribute__((noinline)) void finish_rest(Block<V> &t, const Row<X, Y> &row, long long i, int n,
                                           const Settings &s) {
  t = finish_block(t, row, i, n, s);
}

constexpr long long kLongRow = 12 << 10;  // bytes of x

// Whether a batch of which so many bytes are read and written stores its results past the caches.
// With a last cache of 32 MiB that takes 0.4 of the time at 16 MiB, and up to 1.4 at 4; with one of
// 480 MiB, of which others use the most, 1.1 up to 32 MiB, and 0.7 from 48.
PANORM_INLINE bool outgrows_caches(long long bytes) {
  return bytes >= 32 << 20 || (bytes >= 12 << 20 && bytes >= caches.last / 8 * 3);
}

// Whether such a call stores these rows so. They must not be rows that it reads.
template <class T>
PANORM_INLINE bool streams(long long bytes, const T *to, long long stride, long long width) {
  return kStreams && outgrows_caches(bytes) &&
         ((unsigned long long)to | (stride | width) * sizeof(T)) % kStreamAlignment == 0;
}

// The processor fetches by itself what is read, but waits for what is written, unless that is
// fetched so many elements ahead.
constexpr long long kAhead = 128;

// Whether that helps with a long row: the first cache does not hold it and its parameters.
template <Form form, bool add, class X, class Y>
PANORM_INLINE bool fetches_long(long long width) {
  constexpr int xs = 2 + (form == Form::kGainAndBias) + add;
  return width * (long long)sizeof(X) >= kLongRow &&
         width * (long long)(xs * sizeof(X) + sizeof(Y)) > caches.first;
}

PANORM_INLINE void fetch_to_write(const void *p, int bytes) {
  PANORM_UNROLL
  for (int i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)p + i, 1, 3);
}

// Nothing to do while a row is written.
struct Alone {
  template <class N>
  PANORM_INLINE void operator()(long long, N) const {}
};

// Writes y: normalize(i, n) gives a block of the normalized row; meanwhile(i, n), called as each
// block is written, does something else in between.
template <Form form, class V, class X, class Y, class Normalize, class Meanwhile>
PANORM_INLINE void write_row(const Row<X, Y> &row, const Settings &s, Normalize normalize,
                             Meanwhile meanwhile) {
  using E = typename V::elem;

  auto value = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
    auto t = normalize(i, n);
    if constexpr (form == Form::kAnything) {
      if constexpr (__is_same(decltype(n), All)) {
        t = finish_block(t, row, i, n, s);
      } else {
        finish_rest(t, Row<X, Y>(row), i, n, s);  // a copy, or the row itself would be in memory
      }
    } else if constexpr (form == Form::kGain) {
      t = t * load<V>((const X *)row.gain.p + i, n);
    } else if constexpr (form == Form::kGainAndBias) {
      t = fma(t, load<V>((const X *)row.gain.p + i, n), load<V>((const X *)row.bias.p + i, n));
    }
    return t;
  };

  if constexpr (sizeof(Y) > 1) {
    constexpr bool alone = __is_same(Meanwhile, Alone);
    // Of a long row the sums left the end in the fastest cache.
    bool from_end = alone && row.span * (long long)sizeof(X) >= kLongRow;
    const long long ahead = from_end ? -kAhead : kAhead;
    auto write = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      meanwhile(i, n);
      if constexpr (form != Form::kAnything && sizeof(X) == 4 && sizeof(Y) == 4) {
        if (row.fetches) fetch_to_write(row.y + i + ahead, Block<V>::width * (int)sizeof(Y));
      }
      if constexpr (alone || form == Form::kAnything) {
        store_or_stream<V>(row.y + i, value(i, n), n, row.streams);
      } else {
        by_register<V>(i, n, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          store<V>(row.y + i, value(i, n), n);
        });
      }
    };
    for_blocks<V>(from_end, row.width, write);
  } else {
    Block<V> top = splat<V>(0);
    for_blocks<V>(row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      Block<V> t = value(i, n);
      t = keep(t, n);
      top = each<V>([&](int u) { return max_magnitude(top.v[u], magnitude(t.v[u])); });
    });
    E largest = largest_magnitude(top);
    *row.stat1 = (Statistic<X>)(largest / 127);
    // Tiny rows are lifted by a power of two first: 127 / largest would overflow.
    E lift = largest < (E)0x1p-100 ? (E)0x1p64 : 1;
    bool quantizable = largest > 0 && largest - largest == 0;
    E factor = quantizable ? 127 / (largest * lift) : 0;
    for_blocks<V>(row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      meanwhile(i, n);
      Block<V> q = splat<V>(0);
      if (quantizable) {
        q = value(i, n);
        if (lift != 1) q = q * V::set(lift);
        q = keep(q * V::set(factor), n);  // what is behind the row may be too large to convert
      }
      store<V>(row.y + i, q, n);
    });
  }
}

// Takes one group of a row again in f64. Its sum with the residual, if any, is already in aux.
template <class Operator, class X, class Y>
__attribute__((noinline, cold)) void rescue(const Row<X, Y> &row, const Settings &s) {
  auto kernel = (ForwardKernel *)wide_kernel(Operator::op, kTypeCode<X>, kTypeCode<Y>);
  const X *source = s.options & PANORM_AUX_ADD ? row.aux : row.x;
  int options = s.options & ~(PANORM_AUX_ADD | PANORM_GAIN_PER_ROW);
  if (row.gain.one) options |= PANORM_GAIN_PER_ROW;  // of which there is one
  kernel(source, row.aux, row.gain.p, row.bias.p, row.y, row.stat0, row.stat1, 1, 1, row.width,
         row.span, 0, 0, 0, s.epsilon, s.gain_offset, s.divisor, options);
}

// An operator has a first sum, of whose blocks add() takes up one; base() is what it is relative
// to. finish() normalizes one group of one row from that sum. It writes nothing, and returns false,
// if f32 cannot hold the statistics.
struct RmsNorm {
  static constexpr bool centred = false;
  static constexpr Form usual = Form::kGain;
  static constexpr int op = PANORM_RMS_NORM, backward = PANORM_RMS_NORM_BACKWARD;

  template <class X>
  static PANORM_INLINE auto base(const X *) {
    return typename Compute<X>::elem(0);
  }

  template <class V, class N>
  static PANORM_INLINE Block<V> add(Block<V> acc, Block<V> b, typename V::elem, N) {
    return fma(b, b, acc);
  }

  template <Form form, class X, class Y, class Meanwhile = Alone>
  static PANORM_INLINE bool finish(const Row<X, Y> &row, const X *source,
                                   typename Compute<X>::elem sum, const Settings &s,
                                   Meanwhile meanwhile = {}) {
    using V = Compute<X>;
    auto r = radicand<form>(mean_of(sum, s), s);
    if (!safe(r)) return false;
    auto inverse = inverse_root<form>(r, s);
    if (row.stat0) *row.stat0 = (Statistic<X>)inverse;
    auto normalize = [&](long long i, auto n)
                         PANORM_INLINE_LAMBDA { return load<V>(source + i, n) * V::set(inverse); };
    write_row<form, V>(row, s, normalize, meanwhile);
    return true;
  }
};

// The centre of a row as an unevaluated sum: x - base is exact where it matters, so that a row
// around 10,000 is normalized as well as one around 0.
template <class E>
struct Centre {
  E base, offset;

  template <class V, class X, class N>
  PANORM_INLINE auto deviations(const X *x, N n) const {
    return (load<V>(x, n) - V::set(base)) - V::set(offset);
  }
};

struct LayerNorm {
  static constexpr bool centred = true;
  static constexpr Form usual = Form::kGainAndBias;
  static constexpr int op = PANORM_LAYER_NORM, backward = PANORM_LAYER_NORM_BACKWARD;

  template <class X>
  static PANORM_INLINE auto base(const X *x) {
    return (typename Compute<X>::elem)widen(*x);
  }

  template <class V, class N>
  static PANORM_INLINE Block<V> add(Block<V> acc, Block<V> b, typename V::elem base, N n) {
    return acc + keep(b - V::set(base), n);
  }

  // Of a row of so many blocks the deviations are kept if x and y must be converted: to compute
  // them again takes longer than to store and load them.
  static constexpr int kKeptBlocks = 64;

  template <Form form, class X, class Y, class Meanwhile = Alone>
  static PANORM_INLINE bool finish(const Row<X, Y> &row, const X *source,
                                   typename Compute<X>::elem sum, const Settings &s,
                                   Meanwhile meanwhile = {}) {
    using V = Compute<X>;
    Centre<typename V::elem> centre = {base(source), mean_of(sum, s)};
    auto deviations = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      return centre.template deviations<V>(source + i, n);
    };
    if constexpr (kConverts<V, X> && sizeof(X) == sizeof(Y) && form != Form::kAnything) {
      if (row.width <= kKeptBlocks * Block<V>::width) {
        Block<V> kept[kKeptBlocks];
        auto squares = sum_of_squares<V>(row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          return kept[i / Block<V>::width] = keep(deviations(i, n), n);
        });
        return normalize<form>(row, centre, squares, s, meanwhile,
                               [&](long long i, auto n)
                                   PANORM_INLINE_LAMBDA { return columns(kept, i, n); });
      }
    }
    auto squares = sum_of_squares<V>(row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      return keep(deviations(i, n), n);
    });
    return normalize<form>(row, centre, squares, s, meanwhile, deviations);
  }

 private:
  template <class V, class Deviations>
  static PANORM_INLINE auto sum_of_squares(long long width, Deviations deviations) {
    Block<V> acc = splat<V>(0);
    for_blocks<V>(width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      Block<V> d = deviations(i, n);
      acc = fma(d, d, acc);
    });
    return fold(acc);
  }

  template <Form form, class X, class Y, class E, class Meanwhile, class Deviations>
  static PANORM_INLINE bool normalize(const Row<X, Y> &row, Centre<E> centre, E squares,
                                      const Settings &s, Meanwhile meanwhile,
                                      Deviations deviations) {
    using V = Compute<X>;
    E r = radicand<form>(mean_of(squares, s), s);
    if (!safe(r)) return false;
    E inverse = inverse_root<form>(r, s);
    if (row.stat0) *row.stat0 = (Statistic<X>)(centre.base + centre.offset);
    if (row.stat1 && sizeof(Y) > 1) *row.stat1 = (Statistic<X>)inverse;
    write_row<form, V>(
        row, s,
        [&](long long i, auto n)
            PANORM_INLINE_LAMBDA { return deviations(i, n) * V::set(inverse); },
        meanwhile);
    return true;
  }
};

// An operator's first sum over rows of x or, if `add`, over their sums with aux, block by block.
template <class Operator, bool add, class X, class Y>
struct FirstSum {
  using V = Compute<X>;
  using E = typename V::elem;

  const Row<X, Y> &row;
  E base = base_of(row);
  Block<V> acc = splat<V>(0);

  static PANORM_INLINE E base_of(const Row<X, Y> &row) {
    if constexpr (!add) return Operator::base(row.x);
    X first = narrow<X>(widen(row.x[0]) + widen(row.aux[0]));
    return Operator::base(&first);
  }

  template <class N>
  PANORM_INLINE void take(long long i, N n) {
    if constexpr (add) {
      acc = Operator::add(acc, add_to_aux<V>(row.x + i, row.aux + i, n), base, n);
    } else {
      acc = Operator::add(acc, load<V>(row.x + i, n), base, n);
    }
  }

  PANORM_INLINE E over_row() {
    const long long span = Operator::centred ? row.width : row.span;
    if (!add && !Operator::centred && span <= V::lanes) {  // the other registers would hold +0
      V few = span < V::lanes ? V::load_part(row.x, (int)span) : V::load(row.x);
      return fold(few * few);
    }
    for_blocks<V>(span, [&](long long i, auto n) PANORM_INLINE_LAMBDA { take(i, n); });
    if constexpr (add) {
      for_blocks<V>(row.width - span, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
        add_to_aux<V>(row.x + span + i, row.aux + span + i, n);
      });
    }
    return fold(acc);
  }
};

// Normalizes one group of one row. Writes nothing but the sum with the residual, and returns false,
// if f32 cannot hold the statistics.
template <class Operator, Form form, bool add, class X, class Y>
PANORM_INLINE bool forward_row(Row<X, Y> row, const Settings &s) {
  auto sum = FirstSum<Operator, add, X, Y>{row}.over_row();
  return Operator::template finish<form>(row, add ? row.aux : row.x, sum, s);
}

// A call that has been checked.
template <class X, class Y>
struct Call {
  const X *x;
  X *aux;
  const void *gain, *bias;
  Y *y;
  Statistic<X> *stat0, *stat1;
  long long rows, groups, width, span, x_stride, aux_stride, y_stride;
  Settings settings;

  template <Form form>
  PANORM_INLINE Row<X, Y> row(long long r, long long g, long long width, long long span,
                              bool streams, bool fetches) const {
    long long column = g * width, index = r * groups + g;
    return {x + r * x_stride + column,
            aux ? aux + r * aux_stride + column : nullptr,
            Parameter::of<X, form>(gain, settings.options, r, g, width),
            Parameter::of<X, form>(bias, settings.options, r, g, width),
            y + r * y_stride + column,
            stat0 ? stat0 + index : nullptr,
            stat1 ? stat1 + index : nullptr,
            width,
            span,
            streams,
            fetches};
  }

  // Read and written, of x and y, by all parts of the batch.
  PANORM_INLINE long long bytes() const {
    return settings.parts() * rows * groups * width * (long long)(sizeof(X) + sizeof(Y));
  }

  // Whether to fetch y helps with rows of any length, too: the second cache holds the batch, but
  // not the first. (LayerNorm takes long enough for y to arrive by itself.)
  template <class Operator>
  PANORM_INLINE bool fetches_batch() const {
    return !Operator::centred && width >= kAhead && bytes() > caches.first &&
           bytes() <= caches.second;
  }
};

// All groups of all rows, one after the other.
template <class Operator, Form form, bool add, class X, class Y>
__attribute__((noinline)) void rows_in_turn(const Call<X, Y> &c) {
  const Settings &settings = c.settings;
  const bool past_caches = (const void *)c.x != c.y && streams(c.bytes(), c.y, c.y_stride, c.width);
  const bool fetches = !past_caches && (fetches_long<form, add, X, Y>(c.width) ||
                                        c.template fetches_batch<Operator>());
  for (long long r = 0; r < c.rows; ++r) {
    for (long long g = 0; g < c.groups; ++g) {
      Row<X, Y> row = c.template row<form>(r, g, c.width, c.span, past_caches, fetches);
      if (!forward_row<Operator, form, add>(row, settings)) {
        rescue<Operator>(Row<X, Y>(row), settings);
      }
    }
  }
  if (past_caches) stream_fence();
}

// The same for short rows: while one is written the first sum over the next is taken, so that
// nothing waits for its root and division. Rows as narrow as a head of attention have a width that
// the compiler knows, which spares them loops and rests.
template <class Operator, Form form, bool add, int known_width, class X, class Y>
__attribute__((noinline)) void overlapped_rows(const Call<X, Y> &c) {
  const Settings &settings = c.settings;
  const long long width = known_width ? known_width : c.width;
  const bool fetches = c.template fetches_batch<Operator>();
  Row<X, Y> row = c.template row<form>(0, 0, width, width, false, fetches);
  auto sum = FirstSum<Operator, add, X, Y>{row}.over_row();
  long long r = 0, g = 0;
  for (long long left = c.rows * c.groups; left > 0; --left) {
    if (++g == c.groups) g = 0, ++r;
    const bool last = left == 1;  // then the next one is the same, and its sum not used
    Row<X, Y> next = last ? row : c.template row<form>(r, g, width, width, false, fetches);
    FirstSum<Operator, add, X, Y> first = {next};
    auto meanwhile = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      if (!add || !last) first.take(i, n);
    };
    if (Operator::template finish<form>(row, add ? row.aux : row.x, sum, settings, meanwhile)) {
      sum = fold(first.acc);
    } else {
      rescue<Operator>(Row<X, Y>(row), settings);
      if (!last) sum = first.over_row();
    }
    row = next;
  }
}

// Whether a row, what it is computed from and what is read of the next fit into two thirds of the
// first cache; or of the second, if that does not hold the batch: then waiting for the next cache
// costs more than going back and forth between two rows.
template <bool add, class X, class Y>
PANORM_INLINE bool shares_cache(const Call<X, Y> &c) {
  const long long row = c.width * ((3 + 2 * add) * sizeof(X) + sizeof(Y));
  return row <= caches.first / 3 * 2 ||
         (row <= caches.second / 3 * 2 && c.bytes() > caches.second / 2 * 3);
}

template <class Operator, Form form, bool add, class X, class Y>
void rows_of_form(const Call<X, Y> &c) {
  // To keep the library small, not for calls that are unusual in more than one way.
  constexpr int unusual = add + (sizeof(X) != sizeof(Y)) + (form == Form::kAnything);
  if constexpr (kForSpeed<X> && unusual <= 1) {
    if (c.width == c.span && shares_cache<add>(c) && c.rows * c.groups >= 4 &&
        !outgrows_caches(c.bytes())) {
      if constexpr (unusual == 0) {
        if (c.width == 64) return overlapped_rows<Operator, form, add, 64>(c);
        if (c.width == 128) return overlapped_rows<Operator, form, add, 128>(c);
      }
      return overlapped_rows<Operator, form, add, 0>(c);
    }
  }
  rows_in_turn<Operator, form, add>(c);
}

template <class Operator, Form form, class X, class Y>
int all_rows(const Call<X, Y> &c) {
  if (c.settings.options & PANORM_AUX_ADD) {
    rows_of_form<Operator, form, true>(c);
  } else {
    rows_of_form<Operator, form, false>(c);
  }
  return PANORM_OK;
}

// Whether there are the gain and the bias, or none, of an operator's usual form.
template <class Operator>
PANORM_INLINE bool usual_parameters(const void *gain, const void *bias) {
  return gain && !bias == (Operator::usual == Form::kGain);
}

// One row in an operator's usual form; of any width and span, or known ones.
template <class Operator, bool add, class X, class Y, int known_width = 0, int known_span = 0>
int usual_row(const void *x, const void *gain, void *y, const void *bias, void *residual,
              long long width, long long span, void *scale, double epsilon, double divisor) {
  if (known_width) width = known_width;
  if (known_span) span = known_span;
  Row<X, Y> row = {(const X *)x,
                   (X *)residual,
                   {gain, false, false},
                   {bias, false, false},
                   (Y *)y,
                   nullptr,
                   sizeof(Y) == 1 ? (Statistic<X> *)scale : nullptr,
                   width,
                   span,
                   false,
                   fetches_long<Operator::usual, add, X, Y>(width)};
  Settings settings = {epsilon, 0, divisor, add ? PANORM_AUX_ADD : 0};
  if (!forward_row<Operator, Operator::usual, add>(row, settings)) {
    rescue<Operator>(Row<X, Y>(row), settings);
  }
  return PANORM_OK;
}

// That without a residual; one as narrow as a head of attention does without loops.
template <class Operator, class X, class Y>
PANORM_INLINE RowKernel *usual_row_of(long long width, long long span) {
  const bool all = Operator::centred || span == width;
  if (width == 64) {
    return all ? usual_row<Operator, false, X, Y, 64, 64> : usual_row<Operator, false, X, Y, 64>;
  }
  if (width == 128) {
    return all ? usual_row<Operator, false, X, Y, 128, 128> : usual_row<Operator, false, X, Y, 128>;
  }
  return usual_row<Operator, false, X, Y>;
}

// The kernel for a row of such arguments; null if they have not the usual form.
template <class Operator, class X, class Y>
PANORM_INLINE RowKernel *usual_row_kernel(const void *x, const void *gain, void *y,
                                          const void *bias, void *residual, long long width,
                                          long long span, void *scale) {
  if constexpr (kForSpeed<X> && (sizeof(X) == sizeof(Y) || sizeof(Y) == 1)) {
    if (x && y && usual_parameters<Operator>(gain, bias) && span >= 1 && span <= width) {
      if constexpr (sizeof(Y) == 1) {
        if (scale && !residual) return usual_row<Operator, false, X, Y>;
      } else {
        return residual ? usual_row<Operator, true, X, Y>
                        : usual_row_of<Operator, X, Y>(width, span);
      }
    }
  }
  return nullptr;
}

// The kernel of an operator for a pair of types.
template <class Operator, class X, class Y>
int forward(const void *x, void *aux, const void *gain, const void *bias, void *y, void *stat0,
            void *stat1, long long rows, long long groups, long long width, long long span,
            long long x_stride, long long aux_stride, long long y_stride, double epsilon,
            double gain_offset, double divisor, int options) {
  bool add = options & PANORM_AUX_ADD, gate = options & PANORM_AUX_GATE;
  bool plain = gain_offset == 0 && !(options & ~(kParts | PANORM_AUX_ADD | PANORM_GAIN_SHARED));
  if (rows == 1 && groups == 1 && plain && !stat0 && (sizeof(Y) == 1 || !stat1) && add == !!aux) {
    RowKernel *kernel = usual_row_kernel<Operator, X, Y>(x, gain, y, bias, aux, width, span, stat1);
    if (kernel) return kernel(x, gain, y, bias, aux, width, span, stat1, epsilon, divisor);
  }
  if (rows < 0 || groups < 0 || width < 0 || !known(options)) {
    return PANORM_BAD_ARGUMENT;
  }
  if (rows == 0 || groups == 0 || width == 0) return PANORM_OK;
  if (!x || !y || ((add || gate) && !aux) || (add && gate) || (sizeof(Y) == 1 && !stat1) ||
      span < 1 || span > width) {
    return PANORM_BAD_ARGUMENT;
  }
  using S = Statistic<X>;
  Call<X, Y> call = {(const X *)x,
                     add || gate ? (X *)aux : nullptr,
                     gain,
                     bias,
                     (Y *)y,
                     (S *)stat0,
                     (S *)stat1,
                     rows,
                     groups,
                     width,
                     span,
                     x_stride,
                     aux_stride,
                     y_stride,
                     {epsilon, gain_offset, divisor, options}};
  if constexpr (kForSpeed<X>) {
    bool usual = plain && usual_parameters<Operator>(gain, bias);
    if (usual) return all_rows<Operator, Operator::usual>(call);
  }
  return all_rows<Operator, Form::kAnything>(call);
}

// Its kernel for one row.
template <class Operator, class X, class Y>
int forward_one_row(const void *x, const void *gain, void *y, const void *bias, void *residual,
                    long long width, long long span, void *scale, double epsilon, double divisor) {
  RowKernel *kernel =
      usual_row_kernel<Operator, X, Y>(x, gain, y, bias, residual, width, span, scale);
  if (kernel) return kernel(x, gain, y, bias, residual, width, span, scale, epsilon, divisor);
  return forward<Operator, X, Y>(x, residual, gain, bias, y, nullptr,
                                 sizeof(Y) == 1 ? scale : nullptr, 1, 1, width, span, 0, 0, 0,
                                 epsilon, 0, divisor, residual ? PANORM_AUX_ADD : 0);
}
