// The exported functions: everything here is compiled for the platform's baseline.
#include "panorm.h"

#include "cpu.h"
#include "kernel.h"

const char panorm_version[16] = PANORM_VERSION;
const int panorm_abi = PANORM_ABI;

namespace panorm {

static constexpr MinusZeros all_minus_zeros() {
  MinusZeros r = {};
  for (unsigned &e : r.of_f32) e = 0x80000000u;
  for (unsigned short &e : r.of_16_bits) e = 0x8000;
  return r;
}

const MinusZeros minus_zeros = all_minus_zeros();

// What the lookup for the type of x says.
static const void *by_x(int op, int x_type, int y_type, Lookup *f32, Lookup *f64, Lookup *f16,
                        Lookup *bf16) {
  switch (x_type) {
    case PANORM_F32:
      return f32(op, y_type);
    case PANORM_F64:
      return f64(op, y_type);
    case PANORM_F16:
      return f16(op, y_type);
    case PANORM_BF16:
      return bf16(op, y_type);
    default:
      return nullptr;
  }
}

const void *wide_kernel(int op, int x_type, int y_type) {
  return by_x(op, x_type, y_type, wide_float, nullptr, wide_f16, wide_bf16);
}

static const void *kernel(int op, int x_type, int y_type, int backend) {
  switch (backend) {
    case PANORM_SCALAR:
      return by_x(op, x_type, y_type, scalar_float, scalar_double, scalar_f16, scalar_bf16);
#if defined(__aarch64__)
    case PANORM_NEON:
      return by_x(op, x_type, y_type, neon_float, neon_double, neon_f16, neon_bf16);
#elif defined(__x86_64__)
    case PANORM_AVX2:
      return by_x(op, x_type, y_type, avx2_float, avx2_double, avx2_f16, avx2_bf16);
    case PANORM_AVX512:
      return by_x(op, x_type, y_type, avx512_float, avx512_double, avx512_f16, avx512_bf16);
#endif
    default:
      return nullptr;
  }
}

}  // namespace panorm

const void *panorm_kernel(int op, int x_type, int y_type, int backend) {
  if (!panorm::runs(backend, panorm::features)) return nullptr;
  return panorm::kernel(op, x_type, y_type, backend);
}

int panorm_forward(const void *kernel, const void *x, void *aux, const void *gain, const void *bias,
                   void *y, void *stat0, void *stat1, long long rows, long long groups,
                   long long width, long long span, long long x_stride, long long aux_stride,
                   long long y_stride, double epsilon, double gain_offset, double divisor,
                   int options) {
  if (!kernel) return PANORM_BAD_ARGUMENT;
  return ((panorm::ForwardKernel *)kernel)(x, aux, gain, bias, y, stat0, stat1, rows, groups, width,
                                           span, x_stride, aux_stride, y_stride, epsilon,
                                           gain_offset, divisor, options);
}

int panorm_forward_row(const void *kernel, const void *x, const void *gain, void *y,
                       const void *bias, void *residual, long long width, long long span,
                       void *scale, double epsilon, double divisor) {
  if (!kernel) return PANORM_BAD_ARGUMENT;
  return ((panorm::RowKernel *)kernel)(x, gain, y, bias, residual, width, span, scale, epsilon,
                                       divisor);
}

int panorm_backward(const void *kernel, const void *dy, const void *x, const void *gain,
                    const void *stat0, const void *stat1, void *dx, void *dgain, void *dbias,
                    long long rows, long long groups, long long width, long long span,
                    long long dy_stride, long long x_stride, long long dx_stride, double epsilon,
                    double gain_offset, double divisor, int options) {
  if (!kernel) return PANORM_BAD_ARGUMENT;
  return ((panorm::BackwardKernel *)kernel)(dy, x, gain, stat0, stat1, dx, dgain, dbias, rows,
                                            groups, width, span, dy_stride, x_stride, dx_stride,
                                            epsilon, gain_offset, divisor, options);
}
