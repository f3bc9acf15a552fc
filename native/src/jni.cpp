// What Java calls by JNI, which needs no linking. A jlong is passed as a pointer is, and none needs
// the environment and the class, the first two arguments: so no jni.h.
#include "kernel.h"
#include "panorm.h"

extern "C" {

PANORM_API int Java_dev_panorm_internal_NativeLibrary_abi(void *, void *) { return panorm_abi; }

PANORM_API const void *Java_dev_panorm_internal_NativeLibrary_address(void *, void *, int op,
                                                                      int x_type, int y_type,
                                                                      int backend) {
  return panorm_kernel(op, x_type, y_type, backend);
}

PANORM_API int Java_dev_panorm_internal_FirstRows_call(void *, void *, panorm::RowKernel *kernel,
                                                       const void *x, const void *gain, void *y,
                                                       const void *bias, void *residual,
                                                       long long width, long long span, void *scale,
                                                       double epsilon, double divisor) {
  return kernel(x, gain, y, bias, residual, width, span, scale, epsilon, divisor);
}

}  // extern "C"
