// RMSNorm and LayerNorm of one row, forward: one algorithm for all types, options and instruction
// sets.
//
// V is the vector the arithmetic runs in, X the type of x and aux, Y that of y. A row whose
// statistics leave the safe range of f32 is taken again in f64, by the kernel of the wide unit.

// One group of one row.
template <class X, class Y>
struct Row {
  const X *x;
  X *aux;
  Parameter gain, bias;
  Y *y;
  Statistic<X> *stat0, *stat1;  // each may be null
  long long width, span;
  Walk walk;

  // Of a row that has been added to aux: the row of their sum. (aux is x then: both are read next.)
  PANORM_INLINE Row sum() const {
    Row of_sum = *this;
    of_sum.x = aux;
    of_sum.aux = (X *)x;
    return of_sum;
  }
};

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

// aux += x, rounded to X, in a register.
template <class V, class X, class N>
PANORM_INLINE auto add_to_aux(const X *x, X *aux, N n) {
  auto sum = rounded_to<X>(load<V>(x, n) + load<V>(aux, n));
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
  if (sizeof(X) == 2 && s.options & PANORM_ROUND_BEFORE_GAIN) t = rounded_to<X>(t);
  t = scale_and_shift<V, X>(t, row.gain, row.bias, s.gain_offset, i, n);
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

// Nothing to do while a row is written.
struct Alone {
  PANORM_INLINE void operator()() const {}
};

// Rows of up to so many blocks have on the stack what takes longer to compute again than to store
// and load.
template <class V, class X>
constexpr int kKeptBlocks = kConverts<V, X> ? 64 : 32;

// Writes y as i8, of a row's values by blocks.
template <Form form, class V, class X, class Value, class Meanwhile>
PANORM_INLINE void quantize(const Row<X, i8> &row, Value value, Meanwhile meanwhile) {
  using E = typename V::elem;
  auto values = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
    return first_columns(value(i, n), n);  // what is behind the row may be too large to convert
  };
  Block<V> kept[kKeptBlocks<V, X>];
  const bool keeps = form != Form::kAnything && row.width <= kKeptBlocks<V, X> * Block<V>::width;
  V top[2] = {V::set(0), V::set(0)};  // so few that a block of values stays in registers, too
  auto take = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
    auto t = values(i, n);
    if (keeps) columns(kept, i, n) = t;
    each_register(t, n, [&](int u, V v) PANORM_INLINE_LAMBDA {
      top[u % 2] = max_magnitude(top[u % 2], magnitude(v));
    });
  };
  for_blocks<V>(row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
    if constexpr (form == Form::kAnything) {
      take(i, n);
    } else {
      by_register<V>(i, n, take);
    }
  });
  const E most = largest(max_magnitude(top[0], top[1]));  // a NaN is above infinity
  const auto scale = (Statistic<X>)(most / 127);
  *row.stat1 = scale;
  auto store_all = [&](auto quantized) PANORM_INLINE_LAMBDA {
    auto write = [&](long long i, auto n)
                     PANORM_INLINE_LAMBDA { store<V>(row.y + i, quantized(i, n), n); };
    for_blocks<V>(row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      meanwhile();
      if constexpr (form != Form::kAnything && kIsRest<decltype(n)>) {
        by_register<V>(i, n, write);
      } else {
        write(i, n);
      }
    });
  };
  const bool finite = scale - scale == 0;
  if (!finite || scale == 0) {
    store_all([&](long long i, auto n) PANORM_INLINE_LAMBDA { return decltype(values(i, n)){}; });
    return;
  }
  // Tiny rows are lifted by a power of two first: 127 / most would overflow. (Others by 1, in
  // unusual calls, whose code is to be small.)
  const E lift = most >= (E)0x1p-100 ? 1 : (E)0x1p64, factor = 127 / (most * lift);
  if (keeps && lift == 1) {
    store_all([&](long long i, auto n)
                  PANORM_INLINE_LAMBDA { return columns(kept, i, n) * V::set(factor); });
  } else if (form != Form::kAnything && lift == 1) {
    store_all([&](long long i, auto n)
                  PANORM_INLINE_LAMBDA { return values(i, n) * V::set(factor); });
  } else {
    store_all([&](long long i, auto n)
                  PANORM_INLINE_LAMBDA { return values(i, n) * V::set(lift) * V::set(factor); });
  }
}

// The head of y; unusual calls have none.
template <Form form, class V, class X, class Y>
PANORM_INLINE int head_to_write(const Row<X, Y> &row) {
  return form == Form::kAnything ? 0 : head_of<V>(row.y, row.width);
}

// Writes y, its head_to_write() first: normalize(i, n) gives a block of the normalized row;
// meanwhile(), called as each block is written, does something else in between.
template <Form form, class V, class X, class Y, class Normalize, class Meanwhile>
PANORM_INLINE void write_row(const Row<X, Y> &row, const Settings &s, int head, Normalize normalize,
                             Meanwhile meanwhile) {
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
    // Of a long row the sums left the end in the fastest cache, unless the next row is fetched.
    bool from_end = alone && !row.walk.outgrows && row.span * (long long)sizeof(X) >= kLongRow;
    const long long ahead = from_end ? -kAhead : kAhead;
    auto write = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      constexpr bool rest = kIsRest<decltype(n)>;
      meanwhile();
      if constexpr (kFetches<X, Y>) {
        if (row.walk.fetches) fetch_to_write(row.y + i + ahead, Block<V>::width * (int)sizeof(Y));
      }
      if constexpr (form == Form::kAnything || (!rest && (alone || kTogether<V, Y> > 1))) {
        if (row.walk.outgrows) {
          fetch_pages<V>(row.x + i, row.width);
          if (row.aux) fetch_pages<V>(row.aux + i, row.width);
        }
        store_or_stream<V>(row.y + i, value(i, n), n, row.walk.streams);
      } else {
        by_register<V>(i, n, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          store<V>(row.y + i, value(i, n), n);
        });
      }
    };
    if constexpr (kHeads<V> && form != Form::kAnything) {
      if (head) store<V>(row.y, value(0, Head{head}), Head{head});
      if (row.walk.streams && ends_line<V>(row.y + head)) {
        store<V>(row.y + head, value(head, One{0}), One{0});
        head += V::lanes;
      }
    }
    for_blocks<V>(from_end, head, row.width, write);
  } else {
    quantize<form, V>(row, value, meanwhile);
  }
}

// Takes one group of a row again in f64.
template <class Operator, class X, class Y>
__attribute__((noinline, cold)) void rescue(const Row<X, Y> &row, const Settings &s) {
  auto kernel = (ForwardKernel *)wide_kernel(Operator::op, kTypeCode<X>, kTypeCode<Y>);
  int options = s.options & ~(PANORM_AUX_ADD | PANORM_GAIN_PER_ROW);
  if (row.gain.one) options |= PANORM_GAIN_PER_ROW;  // of which there is one
  kernel(row.x, row.aux, row.gain.p, row.bias.p, row.y, row.stat0, row.stat1, 1, 1, row.width,
         row.span, 0, 0, 0, s.epsilon, s.gain_offset, s.divisor, options);
}

// An operator's first sum over a row, and what it is relative to.
template <class E>
struct Sum {
  E sum, base;
};

// An operator has a first sum, to which add() adds a block or a register; base() is what it is
// relative to, of elements of which at() gives any. finish() normalizes one group of one row from
// that sum. It writes nothing, and returns false, if f32 cannot hold the statistics.
struct RmsNorm {
  static constexpr bool centred = false;
  static constexpr Form usual = Form::kGain;
  static constexpr int op = PANORM_RMS_NORM, backward = PANORM_RMS_NORM_BACKWARD;

  template <class At>
  static PANORM_INLINE auto base(long long, At at) {
    return decltype(at(0))(0);
  }

  template <class V, class B, class N>
  static PANORM_INLINE B add(B acc, B b, typename V::elem, N n) {
    if constexpr (__is_same(N, Head)) b = first_columns(b, n);  // of a rest the others are +0
    return fma(b, b, acc);
  }

  template <Form form, class X, class Y, class Meanwhile = Alone>
  static PANORM_INLINE bool finish(const Row<X, Y> &row, const X *source,
                                   Sum<typename Compute<X>::elem> first, const Settings &s,
                                   Meanwhile meanwhile = {}) {
    using V = Compute<X>;
    auto r = radicand<form>(mean_of(first.sum, s), s);
    if (!safe(r)) return false;
    auto inverse = inverse_root<form>(r, s);
    if (row.stat0) *row.stat0 = (Statistic<X>)inverse;
    auto normalize = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      return load_apart<V>(source + i, n) * V::set(inverse);
    };
    write_row<form, V>(row, s, head_to_write<form, V>(row), normalize, meanwhile);
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
    return (load_apart<V>(x, n) - V::set(base)) - V::set(offset);
  }
};

struct LayerNorm {
  static constexpr bool centred = true;
  static constexpr Form usual = Form::kGainAndBias;
  static constexpr int op = PANORM_LAYER_NORM, backward = PANORM_LAYER_NORM_BACKWARD;

  template <class At>
  static PANORM_INLINE auto base(long long width, At at) {
    return median1(at(0), at(width / 2), at(width - 1));
  }

  template <class V, class B, class N>
  static PANORM_INLINE B add(B acc, B b, typename V::elem base, N n) {
    return acc + first_columns(b - V::set(base), n);
  }

  template <Form form, class X, class Y, class Meanwhile = Alone>
  static PANORM_INLINE bool finish(const Row<X, Y> &row, const X *source,
                                   Sum<typename Compute<X>::elem> first, const Settings &s,
                                   Meanwhile meanwhile = {}) {
    using V = Compute<X>;
    Centre<typename V::elem> centre = {first.base, mean_of(first.sum, s)};
    auto deviations = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      return centre.template deviations<V>(source + i, n);
    };
    const int head = head_to_write<form, V>(row);
    // Of f32, which is not converted, that pays only if the row is short.
    constexpr int blocks = kConverts<V, X> ? kKeptBlocks<V, X> : kKeptBlocks<V, X> / 2;
    if constexpr (sizeof(X) == sizeof(Y) && form != Form::kAnything) {
      if (row.width <= blocks * Block<V>::width) {
        Block<V> kept[blocks + 1];  // its last read may begin within a block: see ends_line()
        auto squares =
            sum_of_squares<V>(head, row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
              auto d = first_columns(deviations(i, n), n);
              if constexpr (!__is_same(decltype(n), Head)) columns(kept, i - head, n) = d;
              return d;
            });
        auto kept_columns = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          if constexpr (__is_same(decltype(n), Head)) {
            return deviations(i, n);
          } else {
            return columns(kept, i - head, n);
          }
        };
        return normalize<form>(row, centre, squares, s, head, meanwhile, kept_columns);
      }
    }
    auto squares = sum_of_squares<V>(head_of<V>(source, row.width), row.width,
                                     [&](long long i, auto n) PANORM_INLINE_LAMBDA {
                                       return first_columns(deviations(i, n), n);
                                     });
    return normalize<form>(row, centre, squares, s, head, meanwhile, deviations);
  }

 private:
  template <class V, class Deviations>
  static PANORM_INLINE auto sum_of_squares(int head, long long width, Deviations deviations) {
    Block<V> acc = splat<V>(0);
    auto take = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      by_register<V>(i, n, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
        auto d = deviations(i, n);
        auto &sum = part(acc, n);
        sum = fma(d, d, sum);
      });
    };
    if constexpr (kHeads<V>) {
      if (head) take(0, Head{head});
    }
    for_blocks<V>(false, head, width, take);
    return fold(acc);
  }

  template <Form form, class X, class Y, class E, class Meanwhile, class Deviations>
  static PANORM_INLINE bool normalize(const Row<X, Y> &row, Centre<E> centre, E squares,
                                      const Settings &s, int head, Meanwhile meanwhile,
                                      Deviations deviations) {
    using V = Compute<X>;
    E r = radicand<form>(mean_of(squares, s), s);
    if (!safe(r)) return false;
    E inverse = inverse_root<form>(r, s);
    if (row.stat0) *row.stat0 = (Statistic<X>)(centre.base + centre.offset);
    if (row.stat1 && sizeof(Y) > 1) *row.stat1 = (Statistic<X>)inverse;
    write_row<form, V>(
        row, s, head,
        [&](long long i, auto n)
            PANORM_INLINE_LAMBDA { return deviations(i, n) * V::set(inverse); },
        meanwhile);
    return true;
  }
};

// An operator's first sum over a row of x or, if `add`, over its sum with aux: at once, or the
// head, blocks one by one, and the rest.
template <class Operator, bool add, class X, class Y>
struct FirstSum {
  using V = Compute<X>;
  using E = typename V::elem;

  const Row<X, Y> &row;
  const long long span = Operator::centred ? row.width : row.span;
  E base = base_of(row);
  Block<V> acc = splat<V>(0);
  long long taken = 0;

  static PANORM_INLINE E base_of(const Row<X, Y> &row) {
    return Operator::base(row.width, [&](long long i) PANORM_INLINE_LAMBDA {
      if constexpr (!add) return (E)widen(row.x[i]);
      return (E)widen(narrow<X>(widen(row.x[i]) + widen(row.aux[i])));
    });
  }

  PANORM_INLINE Sum<E> over_row() {
    if (!add && !Operator::centred && span <= V::lanes) {  // the other registers would hold +0
      V few = span < V::lanes ? V::load_part(row.x, (int)span) : V::load(row.x);
      return {fold(few * few), base};
    }
    take_head();
    return over_rest();
  }

  PANORM_INLINE void take_head() {
    if constexpr (kHeads<V>) {
      const int head = head_of<V>(add ? row.aux : row.x, span);
      if (head) take(0, Head{head});
      taken = head;
    }
  }

  // A block, if a whole one is left.
  PANORM_INLINE void take_block() {
    if (span - taken < Block<V>::width) return;
    take(taken, All{});
    taken += Block<V>::width;
  }

  // What has not been taken, and so the sum.
  PANORM_INLINE Sum<E> over_rest() {
    for_blocks<V>(false, taken, span,
                  [&](long long i, auto n) PANORM_INLINE_LAMBDA { take(i, n); });
    if constexpr (add) {
      for_blocks<V>(false, span, row.width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
        by_register<V>(i, n, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          add_to_aux<V>(row.x + i, row.aux + i, n);
        });
      });
    }
    return {fold(acc), base};
  }

 private:
  template <class N>
  PANORM_INLINE void take(long long i, N n) {
    by_register<V>(i, n, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      auto &sum = part(acc, n);
      if constexpr (add) {
        sum = Operator::template add<V>(sum, add_to_aux<V>(row.x + i, row.aux + i, n), base, n);
      } else {
        sum = Operator::template add<V>(sum, load<V>(row.x + i, n), base, n);
      }
    });
  }
};

// Normalizes one group of one row, or its sum with the residual if told to add.
template <class Operator, Form form, class X, class Y>
PANORM_INLINE void forward_row(Row<X, Y> row, const Settings &s, bool add) {
  auto sum = add ? FirstSum<Operator, true, X, Y>{row}.over_row()
                 : FirstSum<Operator, false, X, Y>{row}.over_row();
  if (add) row = row.sum();
  if (!Operator::template finish<form>(row, row.x, sum, s)) rescue<Operator>(Row<X, Y>(row), s);
}
