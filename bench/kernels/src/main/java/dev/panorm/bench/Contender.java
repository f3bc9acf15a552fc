package dev.panorm.bench;

import java.lang.foreign.Arena;

/** Somebody who computes norms. */
public interface Contender {
  /** As it is named on the command line. */
  String name();

  /** Whether it can. */
  boolean solves(Problem problem);

  /** How many threads it uses; its arenas must be shared if more than one. */
  default int threads() {
    return 1;
  }

  /** Binds the buffers of a problem that it solves, in memory that lives as long as the arena. */
  Task bind(Workload workload, Arena arena);
}
