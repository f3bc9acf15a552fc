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

Features detect_features() {
  Features f = {};
#if defined(__x86_64__)
  f.leaf1_ecx = cpuid(1).ecx;
  f.leaf7_ebx = cpuid(7).ebx;
  if (f.leaf1_ecx & bit_OSXSAVE) {
    unsigned high;
    __asm__("xgetbv" : "=a"(f.xcr0), "=d"(high) : "c"(0));
  }
#endif
  return f;
}

}  // namespace

const Features features = detect_features();
const Caches caches = detect_caches();

bool runs(int backend, [[maybe_unused]] const Features &f) {
  switch (backend) {
    case PANORM_SCALAR:
      return true;
#if defined(__aarch64__)
    case PANORM_NEON:
      return true;  // part of the architecture's baseline
#elif defined(__x86_64__)
    case PANORM_AVX2:
      return all(f.leaf1_ecx, bit_AVX | bit_FMA | bit_F16C) && all(f.leaf7_ebx, bit_AVX2) &&
             all(f.xcr0, 0x06);
    case PANORM_AVX512:
      return runs(PANORM_AVX2, f) && all(f.xcr0, 0xe6) &&
             all(f.leaf7_ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
#endif
    default:
      return false;
  }
}

}  // namespace panorm
