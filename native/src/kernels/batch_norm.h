// BatchNorm: the statistics of a column over the rows, forward and backward. Columns are
// independent of each other, so a call may be cut into ranges of columns; rows are added up in
// order, in blocks of kRowBlock.

// The sum of what term() adds for each row, in blocks of kRowBlock.
template <class W, class Term>
PANORM_INLINE Block<W> sum_of_rows(long long rows, Term term) {
  Block<W> total = splat<W>(0), acc = total;
  for (long long r = 0; r < rows; ++r) {
    acc = term(acc, r);
    if ((r + 1) % kRowBlock == 0 || r + 1 == rows) {
      total = total + acc;
      acc = splat<W>(0);
    }
  }
  return total;
}

// An array, if it is there, from a column on.
template <class T>
PANORM_INLINE T *from(T *p, long long column) {
  return p ? p + column : p;
}

template <class X, class Y>
struct BatchNorm {
  using V = Compute<X>;
  using S = Statistic<X>;

  const X *x;
  const void *gain, *bias;
  Y *y;
  S *mean, *inverse, *variance;
  long long rows, x_stride, y_stride;
  Settings settings;

  // Sum over the rows of term(x), for a block of columns.
  template <class W, class N, class Term>
  PANORM_INLINE Block<W> sum(long long column, N n, Term term) const {
    return sum_of_rows<W>(rows, [&](Block<W> acc, long long r) PANORM_INLINE_LAMBDA {
      return term(acc, load<W>(x + r * x_stride + column, n));
    });
  }

  // y = ((x - base) - offset) * inverse * gain + bias, where base + offset is the mean.
  template <class W, class N>
  PANORM_INLINE void write(long long column, N n, Block<W> base, Block<W> offset,
                           Block<W> inv) const {
    Block<W> g = splat<W>(1), b = splat<W>(0);
    bool f32 = settings.options & PANORM_GAIN_F32;
    if (gain) g = Parameter{gain, f32, false}.plus<W, X>(settings.gain_offset, column, n);
    if (bias) b = Parameter{bias, f32, false}.at<W, X>(column, n);
    for (long long r = 0; r < rows; ++r) {
      Block<W> t = ((load<W>(x + r * x_stride + column, n) - base) - offset) * inv;
      t = bias ? fma(t, g, b) : t * g;
      store<W>(y + r * y_stride + column, t, n);
    }
  }

  // False if a column left the safe range: nothing is written then.
  template <class W, class N>
  PANORM_INLINE bool train(long long column, N n) const {
    using F = typename W::elem;
    F count = (F)settings.divisor;
    auto row = [&](long long r)
                   PANORM_INLINE_LAMBDA { return load<W>(x + r * x_stride + column, n); };
    Block<W> base = row(0), half = row(rows / 2), last = row(rows - 1), divisor = splat<W>(count);
    base = each<W>([&](int u)
                       PANORM_INLINE_LAMBDA { return median(base.v[u], half.v[u], last.v[u]); });
    Block<W> offset =
        sum<W>(column, n,
               [&](Block<W> acc, Block<W> b) PANORM_INLINE_LAMBDA { return acc + (b - base); }) /
        divisor;
    Block<W> var = sum<W>(column, n,
                          [&](Block<W> acc, Block<W> b) PANORM_INLINE_LAMBDA {
                            Block<W> d = (b - base) - offset;
                            return fma(d, d, acc);
                          }) /
                   divisor;
    F radicands[Block<W>::width];
    store<W>(radicands, var + splat<W>((F)settings.epsilon), All{});
    F inverses[Block<W>::width] = {};
    for (int i = 0; i < columns_of<W>(n); ++i) {
      if (!safe(radicands[i])) return false;
      inverses[i] = 1 / sqrt1(radicands[i]);
    }
    Block<W> inv = load<W>(inverses, All{});
    if (mean) store<W>(mean + column, base + offset, n);
    if (inverse) store<W>(inverse + column, inv, n);
    if (variance) store<W>(variance + column, var, n);
    write<W>(column, n, base, offset, inv);
    return true;
  }

  void train(long long width) const {
    for_blocks<V>(width, [&](long long column, auto n) PANORM_INLINE_LAMBDA {
      if (!train<V>(column, n)) rescue(column, columns_of<V>(n));
    });
  }

  // Column by column, and in f64 those that need it.
  __attribute__((noinline, cold)) void rescue(long long column, int count) const {
    auto kernel = (ForwardKernel *)wide_kernel(PANORM_BATCH_NORM, kTypeCode<X>, kTypeCode<Y>);
    for (long long c = column; c < column + count; ++c) {
      if (train<V>(c, 1)) continue;
      kernel(x + c, from(variance, c), Parameter::of<X>(gain, settings.options, 0, c, 1).p,
             Parameter::of<X>(bias, settings.options, 0, c, 1).p, y + c, from(mean, c),
             from(inverse, c), rows, 1, 1, 1, x_stride, 0, y_stride, settings.epsilon,
             settings.gain_offset, settings.divisor, settings.options);
    }
  }

  void infer(long long width) const {
    for_blocks<V>(width, [&](long long column, auto n) PANORM_INLINE_LAMBDA {
      using E = typename V::elem;
      E inverses[Block<V>::width];
      store<V>(inverses, load<V>(variance + column, n) + splat<V>((E)settings.epsilon), All{});
      for (E &e : inverses) e = 1 / sqrt1(e);
      write<V>(column, n, load<V>(mean + column, n), splat<V>(0), load<V>(inverses, All{}));
    });
  }
};

template <class X, class Y, bool training>
int batch_norm(const void *x, void *aux, const void *gain, const void *bias, void *y, void *stat0,
               void *stat1, long long rows, long long groups, long long width, long long,
               long long x_stride, long long, long long y_stride, double epsilon,
               double gain_offset, double divisor, int options) {
  if (rows < 0 || groups != 1 || width < 0 || options & ~(kParts | PANORM_GAIN_F32)) {
    return PANORM_BAD_ARGUMENT;
  }
  if (rows == 0 || width == 0) return PANORM_OK;
  if (!x || !y || (!training && (!stat0 || !stat1))) return PANORM_BAD_ARGUMENT;
  using S = Statistic<X>;
  S *inverse = training ? (S *)stat1 : nullptr, *variance = training ? (S *)aux : (S *)stat1;
  BatchNorm<X, Y> norm = {(const X *)x,
                          gain,
                          bias,
                          (Y *)y,
                          (S *)stat0,
                          inverse,
                          variance,
                          rows,
                          x_stride,
                          y_stride,
                          {epsilon, gain_offset, divisor, options}};
  if (training) {
    norm.train(width);
  } else {
    norm.infer(width);
  }
  return PANORM_OK;
}

// dL/dx of a column: (dy - sum(dy) / rows - xhat * sum(dy * xhat) / rows) * (gain * inverse).
template <class X, class Y>
struct BatchNormBackward {
  using V = Compute<X>;
  using S = Statistic<X>;

  const Y *dy;
  const X *x;
  const void *gain;
  const S *mean, *inverse;
  X *dx;
  S *dgain, *dbias;
  long long rows, dy_stride, x_stride, dx_stride;
  Settings settings;

  template <class W, class N>
  PANORM_INLINE bool run(long long column, N n) const {
    using F = typename W::elem;
    Block<W> m = load<W>(mean + column, n), inv = load<W>(inverse + column, n);
    auto upstream = [&](long long r)
                        PANORM_INLINE_LAMBDA { return load<W>(dy + r * dy_stride + column, n); };
    auto normal = [&](long long r) PANORM_INLINE_LAMBDA {
      return (load<W>(x + r * x_stride + column, n) - m) * inv;
    };

    Block<W> sum_dy = sum_of_rows<W>(
        rows, [&](Block<W> acc, long long r) PANORM_INLINE_LAMBDA { return acc + upstream(r); });
    Block<W> sum_dot = sum_of_rows<W>(rows, [&](Block<W> acc, long long r) PANORM_INLINE_LAMBDA {
      return fma(upstream(r), normal(r), acc);
    });
    if constexpr (sizeof(F) == 4) {
      F sums[Block<W>::width], dots[Block<W>::width], inverses[Block<W>::width];
      store<W>(sums, sum_dy, All{});
      store<W>(dots, sum_dot, All{});
      store<W>(inverses, inv, All{});
      for (int i = 0; i < columns_of<W>(n); ++i) {
        if (!safe_gradient(sums[i]) || !safe_gradient(dots[i]) || !(inverses[i] >= 0x1p-126f)) {
          return false;
        }
      }
    }
    if (dbias) store<W>(dbias + column, sum_dy, n);
    if (dgain) store<W>(dgain + column, sum_dot, n);
    if (!dx) return true;
    Block<W> scale = inv;
    if (gain) {
      bool f32 = settings.options & PANORM_GAIN_F32;
      scale = Parameter{gain, f32, false}.plus<W, X>(settings.gain_offset, column, n) * inv;
    }
    Block<W> divisor = splat<W>((F)settings.divisor);
    Block<W> mean_dy = sum_dy / divisor, slope = splat<W>(0) - sum_dot / divisor;
    for (long long r = 0; r < rows; ++r) {
      Block<W> d = fma(normal(r), slope, upstream(r) - mean_dy) * scale;
      store<W>(dx + r * dx_stride + column, d, n);
    }
    return true;
  }

  // Column by column, and in f64 those that need it.
  __attribute__((noinline, cold)) void rescue(long long column, int count) const {
    auto kernel =
        (BackwardKernel *)wide_kernel(PANORM_BATCH_NORM_BACKWARD, kTypeCode<X>, kTypeCode<Y>);
    for (long long c = column; c < column + count; ++c) {
      if (run<V>(c, 1)) continue;
      kernel(dy + c, x + c, Parameter::of<X>(gain, settings.options, 0, c, 1).p, mean + c,
             inverse + c, from(dx, c), from(dgain, c), from(dbias, c), rows, 1, 1, 1, dy_stride,
             x_stride, dx_stride, settings.epsilon, settings.gain_offset, settings.divisor,
             settings.options);
    }
  }

  void run(long long width) const {
    for_blocks<V>(width, [&](long long column, auto n) PANORM_INLINE_LAMBDA {
      if (!run<V>(column, n)) rescue(column, columns_of<V>(n));
    });
  }
};

template <class X, class Y>
int batch_norm_backward(const void *dy, const void *x, const void *gain, const void *stat0,
                        const void *stat1, void *dx, void *dgain, void *dbias, long long rows,
                        long long groups, long long width, long long, long long dy_stride,
                        long long x_stride, long long dx_stride, double epsilon, double gain_offset,
                        double divisor, int options) {
  if (rows < 0 || groups != 1 || width < 0 || options & ~(kParts | PANORM_GAIN_F32)) {
    return PANORM_BAD_ARGUMENT;
  }
  if (rows == 0 || width == 0) return PANORM_OK;
  if (!dy || !x || !stat0 || !stat1) return PANORM_BAD_ARGUMENT;
  using S = Statistic<X>;
  BatchNormBackward<X, Y>{(const Y *)dy,
                          (const X *)x,
                          gain,
                          (const S *)stat0,
                          (const S *)stat1,
                          (X *)dx,
                          (S *)dgain,
                          (S *)dbias,
                          rows,
                          dy_stride,
                          x_stride,
                          dx_stride,
                          {epsilon, gain_offset, divisor, options}}
      .run(width);
  return PANORM_OK;
}
