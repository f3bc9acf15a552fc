// A block is the unit in which kernels walk a row: 256 bytes of f32 (64 virtual lanes) or of f64
// (32), held in as many registers as the instruction set needs. Element i of a row always meets
// lane i mod 64 (32), and the lanes are folded by halving: that alone fixes the bits of a
// reduction, whatever the width of a register.

#if defined(__clang__)
#define PANORM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PANORM_UNROLL _Pragma("GCC unroll 16")
#endif

template <class V>
struct Block {
  static constexpr int registers = 256 / (V::lanes * (int)sizeof(typename V::elem));
  static constexpr int width = registers * V::lanes;
  V v[registers];
};

// How many columns of a block there are: all, or an int (the rest of the row).
struct All {};

template <class V>
PANORM_INLINE int columns_of(All) {
  return Block<V>::width;
}

template <class V>
PANORM_INLINE int columns_of(int n) {
  return n;
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

// The rest of a row, which no load or store may leave: by masks where the instruction set has them
// for T, by way of a copy of the block elsewhere. Columns from n on are +0.
template <class V, class T>
PANORM_INLINE Block<V> load(const T *p, int n) {
  if constexpr (V::template masks<T>) {
    return each<V>([&](int u) { return V::load_part(p + u * V::lanes, n - u * V::lanes); });
  } else {
    T whole[Block<V>::width] = {};
    __builtin_memcpy(whole, p, n * sizeof(T));
    return load<V>(whole, All{});
  }
}

template <class V, class T>
PANORM_INLINE void store(T *p, Block<V> b, All) {
  PANORM_UNROLL
  for (int u = 0; u < Block<V>::registers; ++u) b.v[u].store(p + u * V::lanes);
}

template <class V, class T>
PANORM_INLINE void store(T *p, Block<V> b, int n) {
  if constexpr (V::template masks<T>) {
    PANORM_UNROLL
    for (int u = 0; u < Block<V>::registers; ++u) {
      b.v[u].store_part(p + u * V::lanes, n - u * V::lanes);
    }
  } else {
    T whole[Block<V>::width];
    store(whole, b, All{});
    __builtin_memcpy(p, whole, n * sizeof(T));
  }
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
PANORM_INLINE Block<V> operator*(Block<V> a, Block<V> b) {
  return each<V>([&](int u) { return a.v[u] * b.v[u]; });
}

template <class V>
PANORM_INLINE Block<V> operator/(Block<V> a, Block<V> b) {
  return each<V>([&](int u) { return a.v[u] / b.v[u]; });
}

template <class V>
PANORM_INLINE Block<V> fma(Block<V> a, Block<V> b, Block<V> c) {
  return each<V>([&](int u) { return fma(a.v[u], b.v[u], c.v[u]); });
}

// The first n columns; +0 beyond.
template <class V>
PANORM_INLINE Block<V> keep(Block<V> b, All) {
  return b;
}

template <class V>
PANORM_INLINE Block<V> keep(Block<V> b, int n) {
  using E = typename V::elem;
  if constexpr (V::template masks<E>) {
    return each<V>([&](int u) { return first(b.v[u], n - u * V::lanes); });
  } else {
    E whole[Block<V>::width];
    store(whole, b, All{});
    return load<V>(whole, n);
  }
}

// What storing as T and loading again gives.
template <class T, class V>
PANORM_INLINE Block<V> rounded_to(Block<V> b) {
  if constexpr (sizeof(T) == sizeof(typename V::elem)) {
    return b;
  } else {
    return each<V>([&](int u) {
      T stored[V::lanes];
      b.v[u].store(stored);
      return V::load(stored);
    });
  }
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

// Calls body(i, n) for each block of a row of `width` columns: n is All, but for the last block an
// int if it is not whole.
template <class V, class F>
PANORM_INLINE void for_blocks(long long width, F body) {
  long long i = 0;
  for (; i + Block<V>::width <= width; i += Block<V>::width) body(i, All{});
  if (i < width) body(i, (int)(width - i));
}
