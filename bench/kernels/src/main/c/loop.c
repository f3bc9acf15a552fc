/* Calls an RMSNorm kernel of libpanorm over and over: what it costs without Java. */
typedef int forward_kernel(const void *x, void *aux, const void *gain, const void *bias, void *y,
                           void *stat0, void *stat1, long long rows, long long groups,
                           long long width, long long span, long long x_stride,
                           long long aux_stride, long long y_stride, double epsilon,
                           double gain_offset, double divisor, int options);

#if defined(_WIN32)
__declspec(dllexport)
#endif
int panorm_bench_loop(forward_kernel *kernel, const float *x, const float *gain, float *y,
                      long long rows, long long cols, double epsilon, int calls) {
  int status = 0;
  for (int i = 0; i < calls; i++)
    status |= kernel(x, 0, gain, 0, y, 0, 0, rows, 1, cols, cols, cols, 0, cols, epsilon, 0,
                     (double)cols, 0);
  return status;
}
