#include "cpu.h"

#include "panorm.h"

namespace panorm {

// Tests every feature that the backend's unit is compiled for: the flags in CMakeLists.txt.
// __builtin_cpu_supports also asks whether the operating system saves the registers (XCR0).
bool cpu_runs(int backend) {
  switch (backend) {
    case PANORM_SCALAR:
      return true;
#if defined(__aarch64__)
    case PANORM_NEON:
      return true;  // part of the architecture's baseline
#elif defined(__x86_64__)
    case PANORM_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
    case PANORM_AVX512:
      return cpu_runs(PANORM_AVX2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
#endif
    default:
      return false;
  }
}

}  // namespace panorm
