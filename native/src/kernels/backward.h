// RMSNorm and LayerNorm, backward.

// The sums of up to so many blocks of columns are taken along with dx, on the stack: 64 KiB of the
// 80 that HotSpot keeps free for native code; on Windows 16 of 32.
#if defined(_WIN32)
constexpr int kBlocksAlong = 32;
#else
constexpr int kBlocksAlong = 128;
#endif

// x - mean for LayerNorm, x for RMSNorm, each times the inverse: what the gain was multiplied with.
template <class Operator, class V, class X, class N>
PANORM_INLINE auto normalized(const X *x, typename V::elem stat0, typename V::elem stat1, N n) {
  auto b = load_apart<V>(x, n);
  if constexpr (Operator::centred) {
    return first_columns((b - V::set(stat0)) * V::set(stat1), n);
  } else {
    return first_columns(b * V::set(stat0), n);  // stat0 may be infinite
  }
}

// d(1 / inverse)/dx is x * inverse / divisor with epsilon inside the root; the options change that.
// S is the type of the inverse as it was saved.
template <class S, class E>
PANORM_INLINE E slope_of(E dot, E inverse, const Settings &s) {
  E divisor = (E)s.divisor;
  if (s.epsilon_mode() == PANORM_EPSILON_OUTSIDE) {
    // The root's share of root + epsilon. One that is all rounding would be divided by.
    E share = fma1(-(E)s.epsilon, inverse, (E)1);
    if (share < (sizeof(S) == 4 ? (E)0x1p-22 : (E)0x1p-51)) return 0;
    divisor = divisor * share;
  } else if (s.epsilon_mode() == PANORM_EPSILON_FLOOR) {
    // 1 / epsilon, by either of the ways in which forward may have computed it: a constant.
    S direct = 1 / (S)s.epsilon, rescued = (S)(1 / s.epsilon);
    if ((S)inverse >= (direct < rescued ? direct : rescued)) return 0;
  }
  return dot == 0 ? 0 : dot / divisor;
}

// Which gradients of gain and bias are taken along with dx: kAny are those that are not null.
enum class Along { kNone, kGain, kGainAndBias, kAny };

// Where to. The terms of a row of a row block are added, of one group, to blocks on the stack;
// those of the only row are the gradients themselves: added to 0, as by add_sums(), -0 becomes +0.
template <class E>
struct Gradients {
  E *gain, *bias;

  template <Along along, bool only_row, class V, class B, class N>
  PANORM_INLINE void add(long long i, B dy, B xhat, N n) const {
    constexpr bool any = along == Along::kAny, both = along == Along::kGainAndBias;
    if (both || along == Along::kGain || (any && gain)) {
      take<only_row, V>(gain, i, n, [&](B sum) PANORM_INLINE_LAMBDA { return fma(dy, xhat, sum); });
    }
    if (both || (any && bias)) {
      take<only_row, V>(bias, i, n, [&](B sum) PANORM_INLINE_LAMBDA { return sum + dy; });
    }
  }

  // Those of a group, so many columns on.
  PANORM_INLINE Gradients after(long long columns) const {
    return {gain ? gain + columns : nullptr, bias ? bias + columns : nullptr};
  }

 private:
  template <bool only_row, class V, class N, class Add>
  static PANORM_INLINE void take(E *to, long long i, N n, Add add) {
    if constexpr (only_row) {
      const decltype(load<V>(to, n)) zero = {};
      store<V>(to + i, zero + add(zero), n);
    } else {
      auto &sum = columns((Block<V> *)to, i, n);
      sum = add(sum);
    }
  }
};

// dL/dx of one group of one row from u = dL/dy * gain, with xhat the normalized x:
//   RMSNorm    (u - xhat * sum(u * xhat) / divisor) * inverse    (the correction up to span only)
//   LayerNorm  (u - sum(u) / divisor - xhat * sum(u * xhat) / divisor) * inverse
template <class Operator, bool usual_gain, Along along, bool only_row, class V, class X, class Y>
PANORM_INLINE bool write_dx(const Y *dy, const X *x, const Parameter &gain, X *dx,
                            typename V::elem stat0, typename V::elem stat1, long long width,
                            long long span, Walk walk, const Gradients<typename V::elem> &gradients,
                            const Settings &s) {
  using E = typename V::elem;
  E inverse = Operator::centred ? stat1 : stat0;

  auto upstream = [&](auto u, long long i, auto n) PANORM_INLINE_LAMBDA {
    if constexpr (usual_gain) {
      return u * load_apart<V>((const X *)gain.p + i, n);
    } else {
      return scale_and_shift<V, X>(u, gain, Parameter{}, s.gain_offset, i, n);
    }
  };

  Block<V> dots = splat<V>(0), sums = dots;
  auto take = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
    auto d = load_apart<V>(dy + i, n), u = upstream(d, i, n);
    auto xhat = normalized<Operator, V>(x + i, stat0, stat1, n);
    gradients.template add<along, only_row, V>(i, d, xhat, n);
    auto &dot = part(dots, n), &sum = part(sums, n);
    dot = fma(u, xhat, dot);
    if constexpr (Operator::centred) sum = sum + u;
  };
  for_blocks<V>(width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
    // Blocks of all this would not stay in few registers; of many they take 0.9 to 1 of the time.
    if constexpr (usual_gain && (kHeldBlocks < 4 || kIsRest<decltype(n)>)) {
      by_register<V>(i, n, take);
    } else {
      take(i, n);
    }
  });
  E dot = fold(dots), mean = Operator::centred ? fold(sums) : 0;
  if constexpr (sizeof(E) == 4) {
    if (!safe_gradient(dot) || !safe_gradient(mean) || !(inverse >= 0x1p-126f)) return false;
  }
  mean = mean_of(mean, s);
  E slope = slope_of<Statistic<X>>(dot, inverse, s);

  for (long long from = 0, to = span; from < width; from = to, to = width, slope = 0) {
    auto value = [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      auto u = upstream(load_apart<V>(dy + i, n), i, n);
      auto xhat = normalized<Operator, V>(x + i, stat0, stat1, n);
      if constexpr (Operator::centred) u = u - V::set(mean);
      return fma(xhat, V::set(-slope), u) * V::set(inverse);
    };
    int head = 0;
    if constexpr (usual_gain && kHeads<V>) {
      head = head_of<V>(dx + from, to - from);
      if (head) store<V>(dx + from, value(from, One{0}), Head{head});
      if (walk.streams && ends_line<V>(dx + from + head)) {
        store<V>(dx + from + head, value(from + head, One{0}), One{0});
        head += V::lanes;
      }
    }
    bool from_end = !walk.outgrows && (to - from) * (long long)sizeof(X) >= kLongRow;
    for_blocks<V>(from_end, from + head, to, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      if constexpr (usual_gain && kIsRest<decltype(n)>) {
        by_register<V>(i, n, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          store<V>(dx + i, value(i, n), n);
        });
      } else {
        Block<V> t = value(i, n);
        if (walk.outgrows) {
          fetch_pages<V>(dy + i, width);
          fetch_pages<V>(x + i, width);
        }
        store_or_stream<V>(dx + i, t, n, walk.streams);
      }
    });
  }
  return true;
}

// One call: all groups of all rows.
template <class Operator, class X, class Y>
struct Backward {
  using V = Compute<X>;
  using E = typename V::elem;
  using S = Statistic<X>;

  const Y *dy;
  const X *x;
  const void *gain;
  const S *stat0, *stat1;
  X *dx;
  S *dgain, *dbias;
  long long rows, groups, width, span, dy_stride, x_stride, dx_stride;
  Settings settings;

  void run() const {
    int layout = settings.options & PANORM_GAIN_PER_ROW;
    bool usual_gain = gain && layout <= PANORM_GAIN_SHARED && settings.gain_offset == 0 &&
                      (sizeof(X) == 4 || !(settings.options & PANORM_GAIN_F32));
    if constexpr (kForSpeed<X>) {
      if (rows == 1 && groups == 1 && dx && usual_gain && !add()) {
        if (dgain && dbias) return write_only_row<Along::kGainAndBias>();
        if (dgain) return write_only_row<Along::kGain>();
        if (!dbias) return write_only_row<Along::kNone>();
      }
    }
    bool by_column =
        layout == PANORM_GAIN_PER_COLUMN || (layout == PANORM_GAIN_SHARED && groups == 1);
    if (dx && by_column && blocks() * groups <= kBlocksAlong && (dgain || dbias)) {
      run_along(layout, usual_gain);
    } else {
      run_rows(layout, usual_gain, nullptr, nullptr);
    }
  }

 private:
  // (row, group) pairs that share elements of the gain, row by row.
  struct Pairs {
    long long from_row, to_row, from_group, to_group;
  };

  // In a frame of its own: a row that is taken again in f64 does without another.
  __attribute__((noinline)) void run_along(int layout, bool usual_gain) const {
    Block<V> gain_sums[kBlocksAlong], bias_sums[kBlocksAlong];
    run_rows(layout, usual_gain, dgain ? gain_sums : nullptr, dbias ? bias_sums : nullptr);
  }

  // Gradients that have no sums to be taken along with dx are summed before.
  __attribute__((noinline)) void run_rows(int layout, bool usual_gain, Block<V> *gain_sums,
                                          Block<V> *bias_sums) const {
    long long elements = layout == PANORM_GAIN_PER_COLUMN  ? groups * width
                         : layout == PANORM_GAIN_SHARED    ? width
                         : layout == PANORM_GAIN_PER_GROUP ? groups
                                                           : rows;
    const long long bytes =
        settings.elements(rows, groups, width) * (long long)(2 * sizeof(X) + sizeof(Y));
    const bool may_stream = (const void *)dx != dy && dx != x && span == width;
    // What has a way of its own, in which rows have heads: not the bias's gradient without the
    // gain's.
    const bool usual = kForSpeed<float> && usual_gain && (gain_sums || !bias_sums);
    const Walk walk =
        walk_of(bytes, dx, dx_stride, width, may_stream, usual && has_head<V, X>(width));
    const bool gain_apart = dgain && !gain_sums, bias_apart = dbias && !bias_sums;
    for (long long i = 0; gain_apart && !add() && i < elements; ++i) dgain[i] = 0;
    for (long long i = 0; bias_apart && !add() && i < elements; ++i) dbias[i] = 0;
    auto write = &Backward::write_rows<false, Along::kAny>;
    if constexpr (kForSpeed<float>) {
      if (usual) {
        write = !gain_sums  ? &Backward::write_rows<true, Along::kNone>
                : bias_sums ? &Backward::write_rows<true, Along::kGainAndBias>
                            : &Backward::write_rows<true, Along::kGain>;
      }
    }
    // Sums first: dx may be dy or x. Row block by row block, so that both find the rows in cache.
    for (long long r = 0; r < rows; r += kRowBlock) {
      long long end = r + kRowBlock < rows ? r + kRowBlock : rows;
      if (gain_apart) sum_parameter<false>(layout, r, end, dgain);
      if (bias_apart) sum_parameter<true>(layout, r, end, dbias);
      if (gain_sums) clear(gain_sums);
      if (bias_sums) clear(bias_sums);
      if (dx) (this->*write)(r, end, walk, {(E *)gain_sums, (E *)bias_sums});
      if (gain_sums) add_sums(gain_sums, dgain, r == 0 && !add());
      if (bias_sums) add_sums(bias_sums, dbias, r == 0 && !add());
    }
    if (walk.streams) stream_fence();
  }

  bool add() const { return settings.options & PANORM_ADD_GRADIENTS; }

  // Of a group of columns.
  long long blocks() const { return (width + Block<V>::width - 1) / Block<V>::width; }

  void clear(Block<V> *sums) const {
    for (long long k = 0; k < blocks() * groups; ++k) sums[k] = splat<V>(0);
  }

  void add_sums(const Block<V> *sums, S *to, bool first) const {
    for (long long g = 0; g < groups; ++g, sums += blocks(), to += width) {
      for_blocks<V>(width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
        Block<V> before = first ? splat<V>(0) : load<V>(to + i, n);
        store<V>(to + i, before + sums[i / Block<V>::width], n);
      });
    }
  }

  template <bool bias>
  void sum_parameter(int layout, long long from, long long to, S *sums) const {
    switch (layout) {
      case PANORM_GAIN_PER_COLUMN:
        for (long long g = 0; g < groups; ++g) {
          sum_columns<bias>({from, to, g, g + 1}, sums + g * width);
        }
        break;
      case PANORM_GAIN_SHARED:
        sum_columns<bias>({from, to, 0, groups}, sums);
        break;
      case PANORM_GAIN_PER_GROUP:
        for (long long g = 0; g < groups; ++g) sum_all<bias>({from, to, g, g + 1}, sums + g);
        break;
      default:
        for (long long r = from; r < to; ++r) sum_all<bias>({r, r + 1, 0, groups}, sums + r);
    }
  }

  // acc plus the terms of one pair in a block of columns: dy for the bias, dy * xhat for the gain.
  template <bool bias, class N>
  PANORM_INLINE Block<V> add_terms(Block<V> acc, long long r, long long g, long long i, N n) const {
    Block<V> d = load<V>(dy + r * dy_stride + g * width + i, n);
    if constexpr (bias) return acc + d;
    long long pair = r * groups + g;
    E second = Operator::centred ? stat1[pair] : 0;
    return fma(d, normalized<Operator, V>(x + r * x_stride + g * width + i, stat0[pair], second, n),
               acc);
  }

  // Column by column over the pairs.
  template <bool bias>
  void sum_columns(Pairs p, S *sums) const {
    for_blocks<V>(width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
      Block<V> acc = splat<V>(0);
      long long count = 0;
      auto flush = [&]() PANORM_INLINE_LAMBDA {
        store<V>(sums + i, load<V>(sums + i, n) + acc, n);
        acc = splat<V>(0);
      };
      for (long long r = p.from_row; r < p.to_row; ++r) {
        for (long long g = p.from_group; g < p.to_group; ++g) {
          acc = add_terms<bias>(acc, r, g, i, n);
          if (++count % kRowBlock == 0) flush();
        }
      }
      if (count % kRowBlock != 0) flush();
    });
  }

  // All columns of the pairs into one sum.
  template <bool bias>
  void sum_all(Pairs p, S *sum) const {
    E acc = 0;
    long long count = 0;
    for (long long r = p.from_row; r < p.to_row; ++r) {
      for (long long g = p.from_group; g < p.to_group; ++g) {
        Block<V> lanes = splat<V>(0);
        for_blocks<V>(width, [&](long long i, auto n) PANORM_INLINE_LAMBDA {
          lanes = add_terms<bias>(lanes, r, g, i, n);
        });
        acc = acc + fold(lanes);
        if (++count % kRowBlock == 0) {
          *sum = (S)(*sum + acc);
          acc = 0;
        }
      }
    }
    if (count % kRowBlock != 0) *sum = (S)(*sum + acc);
  }

  // Of one row in one group, whose terms are the gradients.
  template <Along along>
  __attribute__((noinline)) void write_only_row() const {
    const bool done = write_dx<Operator, true, along, true, V>(
        dy, x, {gain, false, false}, dx, (E)*stat0, Operator::centred ? (E)*stat1 : 0, width, span,
        Walk{}, {dgain, dbias}, settings);
    if (!done) rescue(0, 0);
  }

  // dx of rows, which are of one row block if gradients are taken along.
  template <bool usual_gain, Along along>
  __attribute__((noinline)) void write_rows(long long from, long long to, Walk walk,
                                            Gradients<E> gradients) const {
    constexpr Form form = usual_gain ? Form::kGain : Form::kAnything;
    for (long long r = from; r < to; ++r) {
      for (long long g = 0; g < groups; ++g) {
        const long long column = g * width, pair = r * groups + g;
        const bool done = write_dx<Operator, usual_gain, along, false, V>(
            dy + r * dy_stride + column, x + r * x_stride + column,
            Parameter::of<X, form>(gain, settings.options, r, g, width),
            dx + r * dx_stride + column, (E)stat0[pair], Operator::centred ? (E)stat1[pair] : 0,
            width, span, walk, gradients.after(g * blocks() * Block<V>::width), settings);
        if (!done) rescue(r, g);
      }
    }
  }

  // A sum left the safe range of f32: again in f64.
  __attribute__((noinline, cold)) void rescue(long long r, long long g) const {
    const long long column = g * width, pair = r * groups + g;
    const Parameter p = Parameter::of<X>(gain, settings.options, r, g, width);
    int options = settings.options & ~PANORM_GAIN_PER_ROW;
    if (p.one) options |= PANORM_GAIN_PER_ROW;  // of which there is one
    auto kernel = (BackwardKernel *)wide_kernel(Operator::backward, kTypeCode<X>, kTypeCode<Y>);
    kernel(dy + r * dy_stride + column, x + r * x_stride + column, p.p, stat0 + pair,
           Operator::centred ? stat1 + pair : nullptr, dx + r * dx_stride + column, nullptr,
           nullptr, 1, 1, width, span, 0, 0, 0, settings.epsilon, settings.gain_offset,
           settings.divisor, options);
  }
};

// The kernel of an operator for a pair of types.
template <class Operator, class X, class Y>
int backward(const void *dy, const void *x, const void *gain, const void *stat0, const void *stat1,
             void *dx, void *dgain, void *dbias, long long rows, long long groups, long long width,
             long long span, long long dy_stride, long long x_stride, long long dx_stride,
             double epsilon, double gain_offset, double divisor, int options) {
  if (rows < 0 || groups < 0 || width < 0 || !known(options) ||
      options & (PANORM_AUX_ADD | PANORM_AUX_GATE)) {
    return PANORM_BAD_ARGUMENT;
  }
  if (rows == 0 || groups == 0 || width == 0) return PANORM_OK;
  if (!dy || !x || !stat0 || (Operator::centred && !stat1) || !can_span<Operator>(span, width)) {
    return PANORM_BAD_ARGUMENT;
  }
  using S = Statistic<X>;
  Backward<Operator, X, Y>{(const Y *)dy,
                           (const X *)x,
                           gain,
                           (const S *)stat0,
                           (const S *)stat1,
                           (X *)dx,
                           (S *)dgain,
                           (S *)dbias,
                           rows,
                           groups,
                           width,
                           span,
                           dy_stride,
                           x_stride,
                           dx_stride,
                           {epsilon, gain_offset, divisor, options}}
      .run();
  return PANORM_OK;
}
