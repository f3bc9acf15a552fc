package dev.panorm;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** An implementation of the kernels. All give the same bits; a later one is a faster one. */
public enum Backend {
  /**
   * Plain Java: works everywhere, needs no native library. Rows of up to 2^31 - 9 elements, for each
   * of which it needs 8 bytes of heap, backward 16.
   */
  JAVA,
  /** Portable C++. */
  SCALAR,
  /** AArch64's Advanced SIMD. */
  NEON,
  /** x86-64 with AVX2, FMA and F16C. */
  AVX2,
  /** x86-64 with AVX-512 F, BW, DQ and VL. */
  AVX512;

  /**
   * The backend of a name as {@link #toString} gives it, in any case.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Backend of(String name) {
    Objects.requireNonNull(name, "name");
    for (Backend backend : values()) {
      if (backend.toString().equalsIgnoreCase(name.strip())) {
        return backend;
      }
    }
    List<Backend> all = Arrays.asList(values());
    throw new IllegalArgumentException("Unknown backend \"" + name + "\": not one of " + all);
  }

  /** The name in lower case, as the system property {@code panorm.backend} takes it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
