#include <arm_neon.h>

#include "cpu.h"
#include "kernel.h"
#include "panorm.h"

namespace panorm {
namespace {
#include "simd/convert.h"
#include "simd/neon.h"
#include "simd/pairs.h"
#include "kernels/all.h"
}  // namespace

const void *neon_kernel(int op, int x_type, int y_type) { return lookup(op, x_type, y_type); }

}  // namespace panorm
