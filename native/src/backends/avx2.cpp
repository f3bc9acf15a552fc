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

const void *PANORM_UNIT(int op, int y_type) { return lookup<PANORM_X>(op, y_type); }

}  // namespace panorm
