/* Calls an RMSNorm kernel of libpanorm over and over: what it costs without Java. */
typedef int forward_kernel(const void *x, void *aux, const void *gain, const void *bias, void *y,
                           void *stat0, void *stat1, long long rows, long long groups,
                           long long width, long long span, long long x_stride,
                           long long aux_stride, long long y_stride, double epsilon,
                           double gain_offset, double divisor, int options);
typedef int row_kernel(const void *x, const void *gain, void *y, const void *bias, void *residual,
                       long long width, long long span, void *scale, double epsilon,
                       double divisor);

/* One row has a kernel of its own. */
#if defined(_WIN32)
__declspec(dllexport)
#endif
int panorm_bench_loop(const void *kernel, const float *x, const float *gain, float *y,
                      long long rows, long long cols, double epsilon, int calls) {
  int status = 0;
  for (int i = 0; i < calls; i++) {
    if (rows == 1)
      status |= ((row_kernel *)kernel)(x, gain, y, 0, 0, cols, cols, 0, epsilon, (double)cols);
    else
      status |= ((forward_kernel *)kernel)(x, 0, gain, 0, y, 0, 0, rows, 1, cols, cols, cols, 0,
                                           cols, epsilon, 0, (double)cols, 0);
  }
  return status;
}
