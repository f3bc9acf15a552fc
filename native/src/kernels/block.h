// A block is the unit in which kernels walk a row: 256 bytes of f32 (64 virtual lanes) or of f64
// (32), held in as many registers as the instruction set needs. Element i of a row always meets
// lane i mod 64 (32), and the lanes are folded by halving: that alone fixes the bits of a
// reduction, whatever the width of a register.

template <class V>
struct Block {
  static constexpr int registers = 256 / (V::lanes * (int)sizeof(typename V::elem));
  static constexpr int width = registers * V::lanes;
  V v[registers];
};

// How many columns of a block there are: all, those of one of its registers or a part of them, an
// int (the rest of the row), or the head of a row.
struct All {};
struct One {
  int index;
};
struct Part {
  int index, columns;
};
template <class N>
constexpr bool kIsRest = __is_same(N, int);

// So many columns, fewer than a register has, that come before the first whole block, as if others
// came before them: they meet its last lanes. That turns the lanes of all that follow, which
// changes no bit: in a fold by halving each lane still meets those that it would meet anyway.
struct Head {
  int columns;
};

// What of a block they are.
template <class V, class N>
PANORM_INLINE Block<V> &part(Block<V> &b, N) {
  return b;
}

template <class V>
PANORM_INLINE V &part(Block<V> &b, One n) {
  return b.v[n.index];
}

template <class V>
PANORM_INLINE V &part(Block<V> &b, Part n) {
  return b.v[n.index];
}

template <class V>
PANORM_INLINE V &part(Block<V> &b, Head) {
  return b.v[Block<V>::registers - 1];
}

template <class V>
PANORM_INLINE int columns_of(All) {
  return Block<V>::width;
}

template <class V>
PANORM_INLINE int columns_of(int n) {
  return n;
}

// Calls take(u, v) with each register of what n says.
template <class V, class N, class Take>
PANORM_INLINE void each_register(Block<V> b, N, Take take) {
  PANORM_UNROLL
  for (int u = 0; u < Block<V>::registers; ++u) take(u, b.v[u]);
}

template <class V, class Take>
PANORM_INLINE void each_register(V v, One n, Take take) {
  take(n.index, v);
}

template <class V, class Take>
PANORM_INLINE void each_register(V v, Part n, Take take) {
  take(n.index, v);
}

template <class V, class F>
PANORM_INLINE Block<V> each(F f) {
  Block<V> r;
  PANORM_UNROLL
  for (int u = 0; u < Block<V>::registers; ++u) r.v[u] = f(u);
  return r;
}

template <class V>
PANORM_INLINE Block<V> splat(typename V::elem x) {
  V v = V::set(x);
  return each<V>([&](int) { return v; });
}

template <class V, class T>
PANORM_INLINE Block<V> load(const T *p, All) {
  return each<V>([&](int u) { return V::load(p + u * V::lanes); });
}

template <class V, class T>
PANORM_INLINE V load(const T *p, One) {
  return V::load(p);
}

template <class V, class T>
PANORM_INLINE V load(const T *p, Part n) {
  return V::load_part(p, n.columns);
}

// The first register of a row; first_columns() puts the head where it belongs.
template <class V, class T>
PANORM_INLINE V load(const T *p, Head) {
  return V::load(p);
}

// Columns from i on of a row that is held in blocks. (The compiler need not know that i is where a
// block begins; and a register by One's index gcc would load together with all others.)
template <class V, class N>
PANORM_INLINE Block<V> &columns(Block<V> *row, long long i, N) {
  return *(Block<V> *)((typename V::elem *)row + i);
}

template <class V>
PANORM_INLINE V &columns(Block<V> *row, long long i, One) {
  return *(V *)((typename V::elem *)row + i);
}

template <class V>
PANORM_INLINE V &columns(Block<V> *row, long long i, Part) {
  return columns(row, i, One{0});
}

// The rest of a row, which no load or store may leave; columns from n on are +0. (Where speed
// counts most by_register() takes it.)
template <class V, class T>
PANORM_INLINE Block<V> load_rest(const T *p, int n) {
  return each<V>([&](int u) PANORM_INLINE_LAMBDA {
    int left = n - u * V::lanes;
    if (left >= V::lanes) return V::load(p + u * V::lanes);
    return left > 0 ? V::load_part(p + u * V::lanes, left) : V::set(0);
  });
}

template <class V, class T>
PANORM_INLINE void store_rest(T *p, const Block<V> &b, int n) {
  PANORM_UNROLL
  for (int u = 0; u < Block<V>::registers; ++u) {
    int left = n - u * V::lanes;
    if (left >= V::lanes) {
      b.v[u].store(p + u * V::lanes);
    } else if (left > 0) {
      b.v[u].store_part(p + u * V::lanes, left);
    }
  }
}

// Types that need converting have theirs in functions apart: a kernel has several rests, each with
// branches for each register.
template <class V, class T>
__attribute__((noinline)) void load_rest_apart(Block<V> &b, const T *p, int n) {
  b = load_rest<V>(p, n);
}

template <class V, class T>
__attribute__((noinline)) void store_rest_apart(T *p, const Block<V> &b, int n) {
  store_rest(p, b, n);
}

template <class V, class T>
constexpr bool kConverts = sizeof(T) != sizeof(typename V::elem);

// load() for code that is to be small whatever the type.
template <class V, class T, class N>
PANORM_INLINE auto load_apart(const T *p, N n) {
  return load<V>(p, n);
}

template <class V, class T>
PANORM_INLINE Block<V> load_apart(const T *p, int n) {
  Block<V> b;
  load_rest_apart(b, p, n);
  return b;
}

template <class V, class T>
PANORM_INLINE Block<V> load(const T *p, int n) {
  if constexpr (kConverts<V, T>) return load_apart<V>(p, n);
  return load_rest<V>(p, n);
}

// How many registers are packed into a narrower type at once: a single one makes few bytes. To i8
// that takes a third of the time, to bf16 0.7 to 0.85.
template <class V, class T>
constexpr int kTogether = 1;
template <class V>
constexpr int kTogether<V, i8> = Block<V>::registers > 1 ? 4 * F32::lanes / V::lanes : 1;
template <>
constexpr int kTogether<F32, bf16> = Block<F32>::registers > 1 ? 2 : 1;

// How many if it is stored past the caches: f16 too, or a register would be filled from two stores,
// for which it waits (0.4 of the time). In the caches that takes 1.04 to 1.15.
template <class V, class T>
constexpr int kTogetherPast = kTogether<V, T>;
template <>
constexpr int kTogetherPast<F32, f16> = Block<F32>::registers > 1 ? 2 : 1;

template <int together, class V, class T>
PANORM_INLINE void store_packed(T *p, Block<V> b) {
  PANORM_UNROLL
  for (int u = 0; u < Block<V>::registers; u += together) {
    T *at = p + u * V::lanes;
    if constexpr (together == 1) {
      b.v[u].store(at);
    } else if constexpr (together == 2) {
      store_together(at, b.v[u], b.v[u + 1]);
    } else {
      store_together(at, b.v[u], b.v[u + 1], b.v[u + 2], b.v[u + 3]);
    }
  }
}

template <class V, class T>
PANORM_INLINE void store(T *p, Block<V> b, All) {
  store_packed<kTogether<V, T>>(p, b);
}

template <class V, class T>
PANORM_INLINE void store(T *p, V v, One) {
  v.store(p);
}

template <class V, class T>
PANORM_INLINE void store(T *p, const Block<V> &b, int n) {
  if constexpr (kConverts<V, T>) {
    store_rest_apart(p, b, n);
  } else {
    store_rest(p, b, n);
  }
}

template <class V, class T>
PANORM_INLINE void store(T *p, V v, Head n) {
  v.store_part(p, n.columns);
}

template <class V, class T>
PANORM_INLINE void store(T *p, V v, Part n) {
  v.store_part(p, n.columns);
}

// Stores what rounded() gave.
template <class V, class T>
PANORM_INLINE void store_rounded(T *p, V v) {
  v.store(p);
}

template <class V, class T>
PANORM_INLINE void store_rounded(T *p, V v, One) {
  store_rounded(p, v);
}

template <class V, class T, class N>
PANORM_INLINE void store_rounded(T *p, V v, N n) {
  store(p, v, n);
}

constexpr int kLine = 64;  // bytes that the caches and the memory exchange

// Stores, past the caches if so told, which spares reading the lines first; p is aligned to a line
// then.
template <class V, class T>
PANORM_INLINE void store_or_stream(T *p, Block<V> b, All, bool past_caches) {
  if (!past_caches) return store(p, b, All{});
  alignas(T) alignas(kLine) T whole[Block<V>::width];
  store_packed<kTogetherPast<V, T>>(whole, b);
  stream_bytes(p, whole, sizeof whole);
}

template <class V, class T>
PANORM_INLINE void store_or_stream(T *p, const Block<V> &b, int n, bool) {
  store(p, b, n);
}

template <class V>
PANORM_INLINE Block<V> operator+(Block<V> a, Block<V> b) {
  return each<V>([&](int u) { return a.v[u] + b.v[u]; });
}

template <class V>
PANORM_INLINE Block<V> operator-(Block<V> a, Block<V> b) {
  return each<V>([&](int u) { return a.v[u] - b.v[u]; });
}

template <class V>
PANORM_INLINE Block<V> operator-(Block<V> a, V b) {
  return each<V>([&](int u) { return a.v[u] - b; });
}

template <class V>
PANORM_INLINE Block<V> operator*(Block<V> a, Block<V> b) {
  return each<V>([&](int u) { return a.v[u] * b.v[u]; });
}

template <class V>
PANORM_INLINE Block<V> operator*(Block<V> a, V b) {
  return each<V>([&](int u) { return a.v[u] * b; });
}

template <class V>
PANORM_INLINE Block<V> operator/(Block<V> a, Block<V> b) {
  return each<V>([&](int u) { return a.v[u] / b.v[u]; });
}

template <class V>
PANORM_INLINE Block<V> fma(Block<V> a, Block<V> b, Block<V> c) {
  return each<V>([&](int u) { return fma(a.v[u], b.v[u], c.v[u]); });
}

template <class V>
PANORM_INLINE Block<V> fma(Block<V> a, V b, Block<V> c) {
  return each<V>([&](int u) { return fma(a.v[u], b, c.v[u]); });
}

// The first n columns; +0 beyond.
template <class V>
PANORM_INLINE Block<V> first_columns(Block<V> b, All) {
  return b;
}

template <class V>
PANORM_INLINE V first_columns(V v, One) {
  return v;
}

template <class V>
PANORM_INLINE V first_columns(V v, Head n) {
  return first_to_end(v, n.columns);
}

template <class V>
PANORM_INLINE V first_columns(V v, Part n) {
  return first(v, n.columns);
}

template <class V>
PANORM_INLINE Block<V> first_columns(Block<V> b, int n) {
  return each<V>([&](int u) PANORM_INLINE_LAMBDA {
    int left = n - u * V::lanes;
    if (left >= V::lanes) return b.v[u];
    return left > 0 ? first(b.v[u], left) : V::set(0);
  });
}

// What storing as a T and loading again gives.
template <class V, class T>
PANORM_INLINE V rounded(V v, T) {
  T stored[V::lanes];
  v.store(stored);
  return V::load(stored);
}

template <class T, class V>
PANORM_INLINE Block<V> rounded_to(Block<V> b) {
  if constexpr (sizeof(T) == sizeof(typename V::elem)) return b;
  return each<V>([&](int u) { return rounded(b.v[u], T{}); });
}

template <class T, class V>
PANORM_INLINE V rounded_to(V v) {
  if constexpr (sizeof(T) == sizeof(typename V::elem)) return v;
  return rounded(v, T{});
}

template <class V>
PANORM_INLINE typename V::elem fold(Block<V> b) {
  PANORM_UNROLL
  for (int half = Block<V>::registers / 2; half > 0; half /= 2) {
    PANORM_UNROLL
    for (int u = 0; u < half; ++u) b.v[u] = b.v[u] + b.v[u + half];
  }
  return fold(b.v[0]);
}

// Calls body(i, n) for each block of the columns [from, to) of a row, from its end if so told: n is
// All, but an int for the rest of the row, if there is one, which comes last.
template <class V, class F>
PANORM_INLINE void for_blocks(bool from_end, long long from, long long to, F body) {
  constexpr long long block = Block<V>::width;
  long long whole = (to - from) & -block, step = from_end ? -block : block;
  long long i = from_end ? from + whole - block : from;
  for (long long left = whole; left > 0; left -= block, i += step) body(i, All{});
  if (whole < to - from) {
    int rest = (int)(to - from - whole);
    // Or the compiler would compute every mask of every rest before a loop over rows.
    __asm__ volatile("" : "+r"(rest));
    body(from + whole, rest);
  }
}

template <class V, class F>
PANORM_INLINE void for_blocks(long long width, F body) {
  for_blocks<V>(false, 0, width, body);
}

// Calls body(i, n) for the columns of a block from i on, register by register. A block that is
// stored at once occupies all its registers until then, which takes them from the sums that are
// kept; and one that is put aside in memory gcc copies back and forth. Of the rest of a row no more
// registers are taken than it has: that takes 0.5 to 0.9 of the time of a block with zeros.
template <class V, class F>
PANORM_INLINE void by_register(long long i, All, F body) {
  PANORM_UNROLL
  for (int u = 0; u < Block<V>::registers; ++u) body(i + u * V::lanes, One{u});
}

// (A recursion: left by a break, gcc does not unroll a loop in time to know the registers.)
template <class V, int u = 0, class F>
PANORM_INLINE void by_register(long long i, int n, F body) {
  if (n < V::lanes) {
    if (n > 0) body(i, Part{u, n});
    return;
  }
  body(i, One{u});
  if constexpr (u + 1 < Block<V>::registers) {
    by_register<V, u + 1>(i + V::lanes, n - V::lanes, body);
  }
}

template <class V, class F>
PANORM_INLINE void by_register(long long i, Head n, F body) {
  body(i, n);
}

// Whether rows may have heads: of narrower registers few lie in two cache lines, and scalar code
// has one of a whole block.
template <class V>
constexpr bool kHeads = __is_same(V, F32) && F32::lanes >= 8 && Block<V>::registers > 1;

// Whether a row of T so wide has one, unless it begins where a register may in memory. That takes
// 0.75 to 0.95 of the time from 768 columns on, 0.6 to 0.8 at 4096; but 0.9 to 1.05 at 512.
template <class V, class T>
PANORM_INLINE bool has_head(long long width) {
  return kHeads<V> && sizeof(T) == sizeof(float) && width >= 768;
}

// How many columns of a row at p are its head, so that no register of the blocks behind it lies in
// two cache lines.
template <class V, class T>
PANORM_INLINE int head_of(const T *p, long long width) {
  constexpr int register_bytes = V::lanes * (int)sizeof(T);
  if (!has_head<V, T>(width)) return 0;
  return (int)(-(unsigned long long)p % register_bytes / sizeof(T));
}

// Whether a register there, behind a head, is only the end of a line. Before blocks are stored past
// the caches it is stored by itself: the head has a part of its line in the caches, for which the
// processor would wait. That takes 0.75 to 0.95 of the time.
template <class V, class T>
PANORM_INLINE bool ends_line(const T *p) {
  return V::lanes * (int)sizeof(T) < kLine && (unsigned long long)p % kLine != 0;
}
