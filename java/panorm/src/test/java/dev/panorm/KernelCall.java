package dev.panorm;

import dev.panorm.internal.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A call of a kernel with everything but the memory of its arguments. */
interface KernelCall {
  /** In the order of panorm.h; null where absent, or where it is the memory of another. */
  List<Argument> arguments();

  /** How far each argument starts behind a multiple of 64 bytes, in elements. */
  int misalignment();

  /**
   * Runs a kernel.
   *
   * @param memory one segment for each of {@link #arguments}; {@link MemorySegment#NULL} for null
   * @param heap whether they are on the Java heap
   */
  void run(Kernel kernel, MemorySegment[] memory, boolean heap);
}
