#include "cpu.h"

#include "panorm.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace panorm {

#if defined(__x86_64__)
// Not __builtin_cpu_supports: what it needs at run time is not there to link for macOS without its
// SDK.
namespace {

struct Registers {
  unsigned eax, ebx, ecx, edx;
};

// All 0 if the processor does not know the leaf.
Registers cpuid(unsigned leaf, unsigned part = 0) {
  Registers r = {};
  __get_cpuid_count(leaf, part, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

bool all(unsigned bits, unsigned of) { return (bits & of) == of; }

// Whether the operating system saves these registers (bits of XCR0).
bool os_saves(unsigned state) {
  if (!all(cpuid(1).ecx, bit_OSXSAVE)) return false;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return all(low, state);
}

}  // namespace
#endif

namespace {

Caches detect_caches() {
  Caches c = {32 << 10, 1 << 20, 32 << 20};  // where the processor does not say
#if defined(__x86_64__)
  unsigned leaf = cpuid(4).eax & 31 ? 4 : 0x8000001d;  // Intel's, AMD's
  for (unsigned part = 0; part < 8; ++part) {
    Registers r = cpuid(leaf, part);
    unsigned type = r.eax & 31, level = r.eax >> 5 & 7;
    if (type == 0) break;
    if (type == 2) continue;  // of instructions
    auto one_more = [](unsigned field) { return field + 1LL; };
    long long bytes = one_more(r.ebx >> 22) * one_more(r.ebx >> 12 & 1023) *
                      one_more(r.ebx & 4095) * one_more(r.ecx);
    (level == 1 ? c.first : level == 2 ? c.second : c.last) = bytes;
  }
#endif
  return c;
}

}  // namespace

const Caches caches = detect_caches();

// Tests every feature that the backend's unit is compiled for: the flags in CMakeLists.txt.
bool cpu_runs(int backend) {
  switch (backend) {
    case PANORM_SCALAR:
      return true;
#if defined(__aarch64__)
    case PANORM_NEON:
      return true;  // part of the architecture's baseline
#elif defined(__x86_64__)
    case PANORM_AVX2:
      return os_saves(0x06) && all(cpuid(1).ecx, bit_AVX | bit_FMA | bit_F16C) &&
             all(cpuid(7).ebx, bit_AVX2);
    case PANORM_AVX512:
      return cpu_runs(PANORM_AVX2) && os_saves(0xe6) &&
             all(cpuid(7).ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
#endif
    default:
      return false;
  }
}

}  // namespace panorm
