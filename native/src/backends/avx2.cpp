#include <immintrin.h>

#include "cpu.h"
#include "kernel.h"
#include "panorm.h"

namespace panorm {
namespace {
#include "simd/convert.h"
#include "simd/avx2.h"
#include "simd/pairs.h"
#include "kernels/all.h"
}  // namespace

const void *avx2_kernel(int op, int x_type, int y_type) { return lookup(op, x_type, y_type); }

}  // namespace panorm
