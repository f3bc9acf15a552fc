#ifndef PANORM_CPU_H
#define PANORM_CPU_H

namespace panorm {

// What an x86-64 processor can do, by CPUID's leaves, and which registers the operating system
// saves (XCR0). Asked once: in a virtual machine CPUID takes some 20 microseconds.
struct Features {
  unsigned leaf1_ecx, leaf7_ebx, xcr0;
};
extern const Features features;

// Whether these are all that a backend's unit (PANORM_SCALAR, ...) is compiled for: the flags in
// CMakeLists.txt.
bool runs(int backend, const Features &features);

// Sizes of caches in bytes. They decide how memory is walked, never what is computed.
struct Caches {
  long long first, second, last;  // from the core's nearest to the one nearest to memory
};
extern const Caches caches;

}  // namespace panorm

#endif
