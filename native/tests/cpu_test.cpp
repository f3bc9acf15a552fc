// Which backends run, by what the processor and the operating system say.
#include "../src/cpu.h"

#include "call.h"
#include "doctest/doctest.h"

namespace {

using panorm::Features;
using panorm::runs;

TEST_CASE("a backend runs only if nothing that it needs is missing") {
  CHECK(runs(PANORM_SCALAR, {}));
  CHECK_FALSE(runs(99, {~0u, ~0u, ~0u}));
#if defined(__x86_64__)
  // Bits as Intel's manual numbers them.
  const Features avx2 = {1u << 12 | 1u << 28 | 1u << 29 /* FMA, AVX, F16C */, 1u << 5 /* AVX2 */,
                         1u << 1 | 1u << 2 /* XMM, YMM */};
  const Features more = {0, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31 /* F, DQ, BW, VL */,
                         1u << 5 | 1u << 6 | 1u << 7 /* masks, ZMM */};
  const Features avx512 = {avx2.leaf1_ecx, avx2.leaf7_ebx | more.leaf7_ebx, avx2.xcr0 | more.xcr0};
  CHECK(runs(PANORM_AVX2, avx2));
  CHECK_FALSE(runs(PANORM_AVX512, avx2));
  CHECK(runs(PANORM_AVX512, avx512));
  for (int backend : {PANORM_AVX2, PANORM_AVX512}) {
    const Features needed = backend == PANORM_AVX2 ? avx2 : avx512;
    for (unsigned Features::* field :
         {&Features::leaf1_ecx, &Features::leaf7_ebx, &Features::xcr0}) {
      for (int bit = 0; bit < 32; ++bit) {
        Features f = {~0u, ~0u, ~0u};
        f.*field &= ~(1u << bit);
        CAPTURE(backend);
        CAPTURE(bit);
        CHECK(runs(backend, f) == !(needed.*field >> bit & 1));
      }
    }
  }
  CHECK_FALSE(runs(PANORM_NEON, {~0u, ~0u, ~0u}));
#else
  CHECK(runs(PANORM_NEON, {}));
  CHECK_FALSE(runs(PANORM_AVX2, {~0u, ~0u, ~0u}));
#endif
}

}  // namespace
