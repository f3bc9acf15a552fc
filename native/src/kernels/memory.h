// How rows are walked for the sake of the caches: the bits do not depend on it.

struct Walk {
  bool outgrows;  // the caches: what is read next is fetched from several pages
  bool streams;   // results go past the caches
  bool fetches;   // y is fetched before it is written
};

constexpr long long kLongRow = 12 << 10;  // bytes of x

// Whether a batch of which so many bytes are read and written is stored past the caches if it can
// be. With a last cache of 32 MiB that takes 0.4 of the time at 16 MiB, and up to 1.4 at 4. Of a
// larger one than 128 MiB others use the most: with one of 260 MiB it takes 0.75 at 16 MiB; with
// one of 480, 1.1 up to 32 MiB, and 0.7 from 48.
PANORM_INLINE bool outgrows_caches(long long bytes) {
  const long long share = caches.last > 128 << 20 ? caches.last / 20 : caches.last / 8 * 3;
  return bytes >= 32 << 20 || (bytes >= 12 << 20 && bytes >= share);
}

// The way of a call that reads and writes so many bytes and stores these rows: past the caches only
// if it does not read them, and stores each in one go; and where blocks begin with a line, as they
// do behind a head.
template <class T>
PANORM_INLINE Walk walk_of(long long bytes, const T *to, long long stride, long long width,
                           bool may_stream, bool heads) {
  const bool outgrows = kStreams && outgrows_caches(bytes);
  const unsigned long long start = (unsigned long long)to | (stride | width) * sizeof(T);
  const bool aligned = start % (heads ? sizeof(T) : kLine) == 0;
  return {outgrows, outgrows && may_stream && aligned, false};
}

// Fetches what a call that outgrows the caches reads next, as much as a block of columns here but a
// row or more on, a line of each of four pages in turn: by itself the processor fetches one page at
// a time, and hardly while results are stored past the caches. Beyond a last cache of 480 MiB that
// takes 0.65 to 0.85 of the time, or 0.8 to 0.98 if results go through the caches.
template <class V, class T>
PANORM_INLINE void fetch_pages(const T *p, long long width) {
  constexpr int page = 4 << 10, pages = 4, bytes = Block<V>::width * (int)sizeof(T);
  const int at = (int)((unsigned long long)p % (pages * page));
  const long long ahead = (width * (long long)sizeof(T) + pages * page - 1) & -(pages * page);
  const char *next = (const char *)p - at + ahead;
  PANORM_UNROLL
  for (int n = at / kLine; n < at / kLine + bytes / kLine; ++n) {
    __builtin_prefetch(next + n % pages * page + n / pages * kLine);
  }
}

// The processor fetches by itself what is read, but waits for what is written, unless that is
// fetched so many elements ahead.
constexpr long long kAhead = 128;

// The types of x and y for which that is done: to fetch narrower ones gains nothing.
template <class X, class Y>
constexpr bool kFetches = sizeof(X) == 4 && sizeof(Y) == 4;

// Whether that helps: so many bytes hardly fit into the first cache, or not at all. From 15
// sixteenths of it on that takes 0.6 to 0.85 of the time, and before up to 1.06.
PANORM_INLINE bool fill_first_cache(long long bytes) {
  return bytes >= caches.first - caches.first / 16;
}

PANORM_INLINE void fetch_to_write(const void *p, int bytes) {
  PANORM_UNROLL
  for (int i = 0; i < bytes; i += kLine) __builtin_prefetch((const char *)p + i, 1, 3);
}

// Whether the rows of a batch of so many bytes may be overlapped: where a row, what it is computed
// from and what is read of the next fit into two thirds of the first cache; or of the second, if
// that does not hold the batch: then waiting for the next cache costs more than going back and
// forth between two rows. (RMSNorm of f32, which fetches y, waits least: only of two and a half of
// that cache. To narrower y it takes 0.8 to 0.95 of the time up to nine eighths of the first.
// Of 16-bit rows summed in part only those that leave room in the first cache, if the batch has a
// quarter of the last one: other work may have pushed it out, and rows that are left half read take
// 1.1 to 1.2 times as long to fetch.)
template <class Operator, bool add, class X, class Y>
PANORM_INLINE bool shares_cache(long long width, bool partial, long long bytes) {
  constexpr bool narrow = !Operator::centred && sizeof(Y) < 4;
  constexpr bool fetches_y = !Operator::centred && !add && kFetches<X, Y>;
  const long long row = width * ((3 + 2 * add) * sizeof(X) + sizeof(Y));
  if (sizeof(X) == 2 && sizeof(Y) == 2 && partial && bytes >= caches.last / 4) {
    return row <= caches.first / 3 * 2;
  }
  return row <= (narrow ? caches.first / 8 * 9 : caches.first / 3 * 2) ||
         (row <= caches.second / 3 * 2 &&
          bytes > (fetches_y ? caches.second / 2 * 5 : caches.second));
}
