#include "cpu.h"
#include "kernel.h"
#include "panorm.h"

namespace panorm {
namespace {
#define PANORM_COMPACT
#include "simd/convert.h"
#include "simd/scalar.h"
#include "kernels/all.h"
}  // namespace

const void *scalar_kernel(int op, int x_type, int y_type) { return lookup(op, x_type, y_type); }

}  // namespace panorm
