#ifndef PANORM_CPU_H
#define PANORM_CPU_H

namespace panorm {

// Whether processor and operating system can run the code of a backend (PANORM_SCALAR, ...).
bool cpu_runs(int backend);

// Sizes of caches in bytes. They decide how memory is walked, never what is computed.
struct Caches {
  long long first, second, last;  // from the core's nearest to the one nearest to memory
};
extern const Caches caches;

}  // namespace panorm

#endif
