package dev.panorm.bench;

import dev.panorm.DType;
import java.lang.foreign.Arena;

/**
 * Somebody who computes norms. Those of this module are in {@link Contenders}; others are found as
 * services, so that a benchmark of another library needs its jar only when it is there.
 */
public interface Contender {
  /** As it is named on the command line and in the report. */
  String name();

  /** Whether it has this operation for this type. */
  boolean supports(Operation operation, DType type);

  /** Binds the buffers of a problem, in memory that lives as long as the arena. */
  Task bind(Workload workload, Arena arena);
}
