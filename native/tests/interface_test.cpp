// That arguments get through the exported functions as the platform's calling convention says.
#include "doctest/doctest.h"
#include "panorm.h"

namespace {

// Java passes what Windows x64 and System V specify, whatever compiler built the library.
#if defined(_WIN32)
#define CONVENTION __attribute__((ms_abi))
#elif defined(__x86_64__)
#define CONVENTION __attribute__((sysv_abi))
#else
#define CONVENTION
#endif

static_assert(sizeof(void *) == 8, "bindings have 8-byte pointers");
static_assert(sizeof(long long) == 8 && alignof(long long) == 8, "bindings have 8-byte sizes");
static_assert(sizeof(int) == 4 && sizeof(float) == 4 && sizeof(double) == 8, "and these");

int calls = 0;
const char memory[8] = {};

// Stand-ins for kernels; every size needs more than 32 bits.
CONVENTION int forward(const void *x, void *aux, const void *gain, const void *bias, void *y,
                       void *stat0, void *stat1, long long rows, long long groups, long long width,
                       long long span, long long x_stride, long long aux_stride, long long y_stride,
                       double epsilon, double gain_offset, double divisor, int options) {
  ++calls;
  CHECK(x == memory);
  CHECK(aux == memory + 1);
  CHECK(gain == memory + 2);
  CHECK(bias == memory + 3);
  CHECK(y == memory + 4);
  CHECK(stat0 == memory + 5);
  CHECK(stat1 == memory + 6);
  CHECK(rows == 1LL << 40);
  CHECK(groups == -(1LL << 41));
  CHECK(width == 1LL << 42);
  CHECK(span == -(1LL << 43));
  CHECK(x_stride == 1LL << 44);
  CHECK(aux_stride == -(1LL << 45));
  CHECK(y_stride == 1LL << 46);
  CHECK(epsilon == 1e-5);
  CHECK(gain_offset == -0.5);
  CHECK(divisor == 1e300);
  CHECK(options == -7);
  return 23;
}

CONVENTION int forward_row(const void *x, const void *gain, void *y, const void *bias,
                           void *residual, long long width, long long span, void *scale,
                           double epsilon, double divisor) {
  ++calls;
  CHECK(x == memory);
  CHECK(gain == memory + 1);
  CHECK(y == memory + 2);
  CHECK(bias == memory + 3);
  CHECK(residual == memory + 4);
  CHECK(width == 1LL << 40);
  CHECK(span == -(1LL << 41));
  CHECK(scale == memory + 5);
  CHECK(epsilon == 1e-5);
  CHECK(divisor == 1e300);
  return 42;
}

CONVENTION int backward(const void *dy, const void *x, const void *gain, const void *stat0,
                        const void *stat1, void *dx, void *dgain, void *dbias, long long rows,
                        long long groups, long long width, long long span, long long dy_stride,
                        long long x_stride, long long dx_stride, double epsilon, double gain_offset,
                        double divisor, int options) {
  ++calls;
  CHECK(dbias == memory + 7);
  return forward(dy, (void *)x, gain, stat0, (void *)stat1, dx, dgain, rows, groups, width, span,
                 dy_stride, x_stride, dx_stride, epsilon, gain_offset, divisor, options);
}

TEST_CASE("every argument arrives as it was passed") {
  char *m = (char *)memory;
  calls = 0;
  // Through pointers of the platform's convention, as a caller that was compiled apart.
  int CONVENTION (*forward_pointer)(const void *, const void *, void *, const void *, const void *,
                                    void *, void *, void *, long long, long long, long long,
                                    long long, long long, long long, long long, double, double,
                                    double, int) = panorm_forward;
  int CONVENTION (*row_pointer)(const void *, const void *, const void *, void *, const void *,
                                void *, long long, long long, void *, double, double) =
      panorm_forward_row;
  int CONVENTION (*backward_pointer)(const void *, const void *, const void *, const void *,
                                     const void *, const void *, void *, void *, void *, long long,
                                     long long, long long, long long, long long, long long,
                                     long long, double, double, double, int) = panorm_backward;
  CHECK(forward_pointer((const void *)forward, m, m + 1, m + 2, m + 3, m + 4, m + 5, m + 6,
                        1LL << 40, -(1LL << 41), 1LL << 42, -(1LL << 43), 1LL << 44, -(1LL << 45),
                        1LL << 46, 1e-5, -0.5, 1e300, -7) == 23);
  CHECK(row_pointer((const void *)forward_row, m, m + 1, m + 2, m + 3, m + 4, 1LL << 40,
                    -(1LL << 41), m + 5, 1e-5, 1e300) == 42);
  CHECK(backward_pointer((const void *)backward, m, m + 1, m + 2, m + 3, m + 4, m + 5, m + 6, m + 7,
                         1LL << 40, -(1LL << 41), 1LL << 42, -(1LL << 43), 1LL << 44, -(1LL << 45),
                         1LL << 46, 1e-5, -0.5, 1e300, -7) == 23);
  CHECK(calls == 4);
}

}  // namespace
