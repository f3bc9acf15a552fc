/*
 * Panorm: normalization kernels with the same bits on every machine.
 *
 * The whole C interface. It includes nothing, uses `long long` for sizes and plain pointers for
 * data, so that one set of generated bindings serves every platform. Every function is
 * thread-safe and returns; none allocates, prints, aborts or starts a thread.
 *
 * A kernel is one operator for one pair of element types on one backend. panorm_kernel() hands out
 * its address; all forward kernels share the prototype of panorm_forward() without its first
 * parameter, all backward kernels that of panorm_backward(), those for one row that of
 * panorm_forward_row().
 *
 * Arithmetic: see native/README.md. For the same arguments every backend writes the same bits.
 */
#ifndef PANORM_H
#define PANORM_H

#if defined(_WIN32)
#if defined(PANORM_BUILDING)
#define PANORM_API __declspec(dllexport)
#else
#define PANORM_API __declspec(dllimport)
#endif
#else
#define PANORM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a prototype, an enumerator or a parameter's meaning changes or is added. */
enum { PANORM_ABI = 5 };

/* What a call returns. A call that does not return PANORM_OK has written nothing. */
enum {
  PANORM_OK = 0,
  PANORM_BAD_ARGUMENT = 1 /* a required pointer is null, a size negative, a span or option not the
                             operator's */
};

/* Element types. Statistics and gradients of gain and bias are f32, and f64 where x is f64. */
enum {
  PANORM_F32 = 0,
  PANORM_F64 = 1,
  PANORM_F16 = 2, /* IEEE binary16 */
  PANORM_BF16 = 3,
  PANORM_I8 = 4 /* y only: quantized with one scale a row */
};

/* Backends, slowest first. */
enum {
  PANORM_SCALAR = 0,
  PANORM_NEON = 1,
  PANORM_AVX2 = 2,  /* with FMA and F16C */
  PANORM_AVX512 = 3 /* F, BW, DQ and VL */
};

/* Operators. */
enum {
  PANORM_RMS_NORM = 0,
  PANORM_LAYER_NORM = 1,
  PANORM_RMS_NORM_BACKWARD = 2,
  PANORM_LAYER_NORM_BACKWARD = 3,
  PANORM_BATCH_NORM = 4,           /* training: statistics of the batch, per column */
  PANORM_BATCH_NORM_INFERENCE = 5, /* statistics given */
  PANORM_BATCH_NORM_BACKWARD = 6,
  /* Or-ed to RMS_NORM or LAYER_NORM: its kernel for one row, called as panorm_forward_row(). */
  PANORM_ONE_ROW = 16
};

/* Options of a call, or-ed together: one of each group; 0 is the default of all. Those of BatchNorm
   are PANORM_GAIN_F32 and PANORM_PARTS; backward takes no PANORM_AUX_ADD or PANORM_AUX_GATE, and
   disregards PANORM_ROUND_BEFORE_GAIN. */
enum {
  /* How epsilon keeps the root away from zero (ms is the mean square or the variance). */
  PANORM_EPSILON_INSIDE = 0,  /* sqrt(ms + epsilon) */
  PANORM_EPSILON_OUTSIDE = 1, /* sqrt(ms) + epsilon */
  PANORM_EPSILON_FLOOR = 2,   /* max(sqrt(ms), epsilon) */
  /* What aux is. */
  PANORM_AUX_NONE = 0,
  PANORM_AUX_ADD = 4,  /* residual: aux += x is stored, and the sum normalized */
  PANORM_AUX_GATE = 8, /* gate: y is multiplied by silu(aux) */
  /* Which element of gain and bias column c of group g in row r meets. */
  PANORM_GAIN_PER_COLUMN = 0, /* [g * width + c] */
  PANORM_GAIN_SHARED = 16,    /* [c]: the groups share it */
  PANORM_GAIN_PER_GROUP = 32, /* [g] */
  PANORM_GAIN_PER_ROW = 48,   /* [r] */
  /* 16-bit x: round x * inverse to x's type before the gain, as well as at the end. */
  PANORM_ROUND_BEFORE_GAIN = 64,
  /* gain and bias are f32 although x is not. */
  PANORM_GAIN_F32 = 128,
  /* RMSNorm and LayerNorm, backward: add to dgain and dbias. x goes on where the calls before
     ended, each of them after a multiple of 16 rows: the bits are those of one call. */
  PANORM_ADD_GRADIENTS = 256,
  /* One of n <= 256 parts of a batch, which run in other calls at the same time or in turn:
     (n - 1) * PANORM_PARTS. So that it walks memory as a call that large; the bits are the same.
     BatchNorm disregards it. */
  PANORM_PARTS = 512,
  PANORM_ALL_OPTIONS = 131071
};

/* The version, "0.1.0" and so on, and PANORM_ABI as the library was built. Data, so that a caller
 * can refuse a library without calling into it. */
PANORM_API extern const char panorm_version[16];
PANORM_API extern const int panorm_abi;

/*
 * The address of a kernel, or null if this build lacks the backend, this processor or operating
 * system cannot run it, or the operator does not exist for these types. x_type is the type of x
 * and dx; y_type that of y and dy. PANORM_RMS_NORM for f32 exists on every backend.
 */
PANORM_API const void *panorm_kernel(int op, int x_type, int y_type, int backend);

/*
 * Runs a forward kernel. x, aux and y are `rows` rows of `groups` groups of `width` contiguous
 * columns; a stride is the distance from one row to the next in elements. Each group of each row
 * is normalized on its own, over its first `span` columns (all of them but for RMS_NORM, partial).
 * BATCH_NORM has one group, no span, and normalizes each column over the rows.
 *
 *   RMS_NORM    inverse = 1 / sqrt(sum(x^2) / divisor + epsilon)      (or as the options say)
 *               y = x * inverse * (gain + gain_offset) + bias
 *   LAYER_NORM, BATCH_NORM
 *               mean    = sum(x) / divisor
 *               inverse = 1 / sqrt(sum((x - mean)^2) / divisor + epsilon)
 *               y = (x - mean) * inverse * (gain + gain_offset) + bias
 *
 * Every pointer is aligned to its element. With no rows, groups or columns nothing is written.
 *
 *   x       not null; y may be x itself (same pointer, same stride) if it has x's type
 *   aux     residual or gate as the options say, of x's type; BATCH_NORM: receives the variance
 *           of each column (divided by divisor), may be null; otherwise ignored
 *   gain    may be null (taken as 1, gain_offset ignored); bias may be null (taken as 0)
 *   y       rows x groups x width; must not overlap x otherwise, nor any other argument
 *   stat0   RMS_NORM: receives the inverse, [rows * groups]; LAYER_NORM: the mean; BATCH_NORM: the
 *           mean, [width]; BATCH_NORM_INFERENCE: gives the mean. May be null where it receives.
 *   stat1   LAYER_NORM, BATCH_NORM: receives the inverse deviation; BATCH_NORM_INFERENCE: gives
 *           the variance; y of type I8: receives the scale, [rows * groups], and must not be null
 *
 * I8: scale = max|y| / 127 and y = round(y * (127 / max|y|)), to nearest even; a group whose scale
 * is 0 (it has zeros only, or nearly), infinite or NaN (if an element is) gets zeros.
 */
PANORM_API int panorm_forward(const void *kernel, const void *x, void *aux, const void *gain,
                              const void *bias, void *y, void *stat0, void *stat1, long long rows,
                              long long groups, long long width, long long span, long long x_stride,
                              long long aux_stride, long long y_stride, double epsilon,
                              double gain_offset, double divisor, int options);

/*
 * Runs a kernel for one row: panorm_forward() of one row and group, with aux the residual if there
 * is one and stat1 the scale if y is I8, without gate, gain offset, other statistics or options.
 * Its arguments nearly fit the registers; to pass all of panorm_forward()'s takes as long as to
 * normalize 64 columns.
 */
PANORM_API int panorm_forward_row(const void *kernel, const void *x, const void *gain, void *y,
                                  const void *bias, void *residual, long long width, long long span,
                                  void *scale, double epsilon, double divisor);

/*
 * Runs a backward kernel: from dy, x and the statistics that forward saved, writes dx, dgain and
 * dbias (each skipped where null). Sizes, options and pointers as in panorm_forward(); dx may be
 * dy or x itself. dgain and dbias are overwritten, unless the options say to add to them or there
 * are no rows; they have gain's layout and are f32 (f64 where x is f64).
 *
 *   stat0   RMS_NORM_BACKWARD: the inverse; LAYER_NORM_BACKWARD, BATCH_NORM_BACKWARD: the mean
 *   stat1   LAYER_NORM_BACKWARD, BATCH_NORM_BACKWARD: the inverse deviation
 */
PANORM_API int panorm_backward(const void *kernel, const void *dy, const void *x, const void *gain,
                               const void *stat0, const void *stat1, void *dx, void *dgain,
                               void *dbias, long long rows, long long groups, long long width,
                               long long span, long long dy_stride, long long x_stride,
                               long long dx_stride, double epsilon, double gain_offset,
                               double divisor, int options);

#ifdef __cplusplus
}
#endif

#endif
