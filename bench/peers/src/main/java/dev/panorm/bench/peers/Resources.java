package dev.panorm.bench.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Objects of native libraries that live as long as an arena. */
final class Resources {
  private Resources() {}

  /** Closes it when the arena is closed, before what was allocated earlier is freed. */
  static <T extends AutoCloseable> T in(Arena arena, T resource) {
    MemorySegment.NULL.reinterpret(1, arena, _ -> {
      try {
        resource.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    return resource;
  }
}
