// Not a backend of its own: f64 arithmetic for all types, which every backend calls for the rare
// rows whose statistics leave the safe range of f32.
#include "cpu.h"
#include "kernel.h"
#include "panorm.h"

namespace panorm {
namespace {
#define PANORM_COMPACT
#define PANORM_WIDE
#include "simd/convert.h"
#include "simd/scalar.h"
#include "kernels/all.h"
}  // namespace

const void *PANORM_UNIT(int op, int y_type) { return lookup<PANORM_X>(op, y_type); }

}  // namespace panorm
