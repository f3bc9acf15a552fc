// Calls of RMSNorm and LayerNorm, forward: what is asked for, and in which order rows are taken.

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
                              Walk walk) const {
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
            walk};
  }

  // Of all parts of the batch.
  PANORM_INLINE long long elements() const { return settings.elements(rows, groups, width); }

  // Read and written, of x and y, by all parts.
  PANORM_INLINE long long bytes() const { return elements() * (long long)(sizeof(X) + sizeof(Y)); }
};

// Of rows of so many elements and their parameters, the bytes that are read and written.
template <Form form, class X, class Y>
PANORM_INLINE long long touched(long long elements, long long width, bool add) {
  constexpr int parameters = form == Form::kGainAndBias ? 2 : 1;
  return elements * (long long)((1 + add) * sizeof(X) + sizeof(Y)) +
         width * (long long)(parameters * sizeof(X));
}

// Whether y is fetched. (LayerNorm of short rows takes long enough for it to arrive by itself.)
template <class Operator, Form form, class X, class Y>
PANORM_INLINE bool fetches(const Call<X, Y> &c, bool add) {
  const long long elements = Operator::centred ? c.width : c.elements();
  return fill_first_cache(touched<form, X, Y>(elements, c.width, add));
}

// All groups of all rows, one after the other.
template <class Operator, Form form, class X, class Y>
__attribute__((noinline)) void rows_in_turn(const Call<X, Y> &c) {
  const Settings &settings = c.settings;
  const bool add = settings.options & PANORM_AUX_ADD;
  const bool heads = form != Form::kAnything && has_head<Compute<X>, Y>(c.width);
  Walk walk = walk_of(c.bytes(), c.y, c.y_stride, c.width, (const void *)c.x != c.y, heads);
  walk.fetches = !walk.streams && fetches<Operator, form>(c, add);
  for (long long r = 0; r < c.rows; ++r) {
    for (long long g = 0; g < c.groups; ++g) {
      forward_row<Operator, form>(c.template row<form>(r, g, c.width, c.span, walk), settings, add);
    }
  }
  if (walk.streams) stream_fence();
}

// The same for rows of which the caches hold two: while one is written the first sum over the next
// is taken, so that nothing waits for its root and division. Rows as narrow as a head of attention
// have a width that the compiler knows, which spares them loops and rests.
template <class Operator, Form form, bool add, int known_width, class X, class Y>
__attribute__((noinline)) void overlapped_rows(const Call<X, Y> &c) {
  const Settings &settings = c.settings;
  const long long width = known_width ? known_width : c.width, span = known_width ? width : c.span;
  // Of 64 columns a fetch in vain takes less time than the test in the loop. LayerNorm would gain
  // from neither.
  const bool fetches_y =
      !Operator::centred && (known_width == 64 || fetches<Operator, form>(c, add));
  const Walk walk = {false, false, fetches_y};
  Row<X, Y> row = c.template row<form>(0, 0, width, span, walk);
  auto sum = FirstSum<Operator, add, X, Y>{row}.over_row();
  long long r = 0, g = 0;
  for (long long left = c.rows * c.groups; left > 0; --left) {
    if (++g == c.groups) g = 0, ++r;
    const bool last = left == 1;  // then the next one is the same, and its sum not used
    Row<X, Y> next = last ? row : c.template row<form>(r, g, width, span, walk);
    FirstSum<Operator, add, X, Y> first = {next};
    if (!add || !last) first.take_head();
    auto meanwhile = [&]() PANORM_INLINE_LAMBDA {
      if (!add || !last) first.take_block();
    };
    // (By row.sum() LayerNorm would take 1.05 to 1.16 of the time.)
    if (!Operator::template finish<form>(row, add ? row.aux : row.x, sum, settings, meanwhile)) {
      rescue<Operator>(add ? row.sum() : row, settings);
    }
    if (!last) sum = first.over_rest();
    row = next;
  }
}

template <class Operator, Form form, bool add, class X, class Y>
void rows_of_form(const Call<X, Y> &c) {
  // To keep the library small, not for calls that are unusual in more than one way.
  constexpr int unusual = add + (sizeof(X) != sizeof(Y)) + (form == Form::kAnything);
  if constexpr (kForSpeed<X> && unusual <= 1) {
    // Converting wide rows leaves little to wait for: two or three would take 1.1 of the time.
    const int least = sizeof(X) == 2 && c.width > 256 ? 4 : 2;
    if (shares_cache<Operator, add, X, Y>(c.width, c.span < c.width, c.bytes()) &&
        c.rows * c.groups >= least && !outgrows_caches(c.bytes())) {
      if constexpr (unusual == 0) {
        const long long known = c.span == c.width ? c.width : 0;
        if (known == 64) return overlapped_rows<Operator, form, add, 64>(c);
        if (known == 128) return overlapped_rows<Operator, form, add, 128>(c);
      }
      return overlapped_rows<Operator, form, add, 0>(c);
    }
  }
  rows_in_turn<Operator, form>(c);
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

// One row in an operator's usual form; of any width and span, or known ones: so short that the
// first cache holds them.
template <class Operator, bool add, class X, class Y, int known_width = 0, int known_span = 0>
int usual_row(const void *x, const void *gain, void *y, const void *bias, void *residual,
              long long width, long long span, void *scale, double epsilon, double divisor) {
  if (known_width) width = known_width;
  if (known_span) span = known_span;
  const bool fetches_y =
      !known_width && fill_first_cache(touched<Operator::usual, X, Y>(width, width, add));
  Row<X, Y> row = {(const X *)x,
                   (X *)residual,
                   {gain, false, false},
                   {bias, false, false},
                   (Y *)y,
                   nullptr,
                   sizeof(Y) == 1 ? (Statistic<X> *)scale : nullptr,
                   width,
                   span,
                   {false, false, fetches_y}};
  Settings settings = {epsilon, 0, divisor, add ? PANORM_AUX_ADD : 0};
  forward_row<Operator, Operator::usual>(row, settings, add);
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

// The bias of so many columns; of -0 if LayerNorm has a gain only, as its kernels for the usual
// form take 0.5 to 0.8 of the time.
template <class Operator, class X>
PANORM_INLINE const void *bias_or_minus_zeros(const void *gain, const void *bias,
                                              long long columns) {
  if (kForSpeed<X> && Operator::centred && gain && !bias && columns <= MinusZeros::columns) {
    return sizeof(X) == 4 ? (const void *)minus_zeros.of_f32 : minus_zeros.of_16_bits;
  }
  return bias;
}

// The kernel for a row of such arguments; null if they have not the usual form.
template <class Operator, class X, class Y>
PANORM_INLINE RowKernel *usual_row_kernel(const void *x, const void *gain, void *y,
                                          const void *bias, void *residual, long long width,
                                          long long span, void *scale) {
  if constexpr (kForSpeed<X> && (sizeof(X) == sizeof(Y) || sizeof(Y) == 1)) {
    if (x && y && usual_parameters<Operator>(gain, bias) && can_span<Operator>(span, width)) {
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
  if (plain && (groups == 1 || options & PANORM_GAIN_SHARED)) {
    bias = bias_or_minus_zeros<Operator, X>(gain, bias, width);
  }
  if (rows == 1 && groups == 1 && plain && !stat0 && (sizeof(Y) == 1 || !stat1) && add == !!aux) {
    RowKernel *kernel = usual_row_kernel<Operator, X, Y>(x, gain, y, bias, aux, width, span, stat1);
    if (kernel) return kernel(x, gain, y, bias, aux, width, span, stat1, epsilon, divisor);
  }
  if (rows < 0 || groups < 0 || width < 0 || !known(options) || options & PANORM_ADD_GRADIENTS) {
    return PANORM_BAD_ARGUMENT;
  }
  if (rows == 0 || groups == 0 || width == 0) return PANORM_OK;
  if (!x || !y || ((add || gate) && !aux) || (add && gate) || (sizeof(Y) == 1 && !stat1) ||
      !can_span<Operator>(span, width)) {
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
  bias = bias_or_minus_zeros<Operator, X>(gain, bias, width);
  RowKernel *kernel =
      usual_row_kernel<Operator, X, Y>(x, gain, y, bias, residual, width, span, scale);
  if (kernel) return kernel(x, gain, y, bias, residual, width, span, scale, epsilon, divisor);
  return forward<Operator, X, Y>(x, residual, gain, bias, y, nullptr,
                                 sizeof(Y) == 1 ? scale : nullptr, 1, 1, width, span, 0, 0, 0,
                                 epsilon, 0, divisor, residual ? PANORM_AUX_ADD : 0);
}
