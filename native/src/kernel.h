// The prototypes that all kernels share, and each backend's table of them.
#ifndef PANORM_KERNEL_H
#define PANORM_KERNEL_H

namespace panorm {

using ForwardKernel = int(const void *x, void *aux, const void *gain, const void *bias, void *y,
                          void *stat0, void *stat1, long long rows, long long groups,
                          long long width, long long span, long long x_stride, long long aux_stride,
                          long long y_stride, double epsilon, double gain_offset, double divisor,
                          int options);

using RowKernel = int(const void *x, const void *gain, void *y, const void *bias, void *residual,
                      long long width, long long span, void *scale, double epsilon, double divisor);

using BackwardKernel = int(const void *dy, const void *x, const void *gain, const void *stat0,
                           const void *stat1, void *dx, void *dgain, void *dbias, long long rows,
                           long long groups, long long width, long long span, long long dy_stride,
                           long long x_stride, long long dx_stride, double epsilon,
                           double gain_offset, double divisor, int options);

// One lookup for each backend and type of x, defined in backends/<name>.cpp: null if it has no such
// operator, or not for that type of y.
using Lookup = const void *(int op, int y_type);
Lookup scalar_float, scalar_double, scalar_f16, scalar_bf16;
Lookup neon_float, neon_double, neon_f16, neon_bf16;
Lookup avx2_float, avx2_double, avx2_f16, avx2_bf16;
Lookup avx512_float, avx512_double, avx512_f16, avx512_bf16;
Lookup wide_float, wide_f16, wide_bf16;

// Kernels that compute in f64 although x is narrower: what a row that f32 cannot hold is taken
// with.
const void *wide_kernel(int op, int x_type, int y_type);

// -0 as f32, and as both 16-bit types: a bias that changes no bit, as a * b + -0 is a * b.
struct MinusZeros {
  static constexpr int columns = 2048;
  unsigned of_f32[columns];
  unsigned short of_16_bits[columns];
};
extern const MinusZeros minus_zeros;

}  // namespace panorm

#endif
