package dev.panorm.bench;

import java.lang.foreign.Arena;

/** Somebody who computes norms of f32 rows. */
interface Contender {
  /** As it is named on the command line. */
  String name();

  /** Binds the buffers of a problem, in memory that lives as long as the arena. */
  Task bind(Workload workload, Arena arena);
}
