#ifndef PANORM_CPU_H
#define PANORM_CPU_H

namespace panorm {

// Whether processor and operating system can run the code of a backend (PANORM_SCALAR, ...).
bool cpu_runs(int backend);

}  // namespace panorm

#endif
