package dev.panorm;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * What runs the operators in this process.
 *
 * <p>The fastest backend of the machine is used. The system property {@code panorm.backend} (or,
 * if it is not set, or blank, the environment variable {@code PANORM_BACKEND}) names a lower one to
 * use instead: {@code java}, {@code scalar}, {@code neon}, {@code avx2} or {@code avx512}. A name
 * that does not exist, or not on this machine, is an error at the first use, never a silent fallback.
 *
 * <p>The native library is the one packed in the jar of this platform. It is verified by its
 * checksum, unpacked into a new directory of {@code java.io.tmpdir} that only this user may enter,
 * loaded, and deleted (on Windows by a later process). Instead, the system property {@code
 * panorm.library.path} names a library file or the folder it is in, which is loaded as it is. If
 * there is none that works, operators run in Java, one warning is logged, and {@link
 * #nativeFailure} tells why; if a native backend was named, this is an error.
 *
 * <p>With the first single row a daemon thread, {@code panorm-link}, begins to prepare the calls of
 * kernels, and ends after a tenth of a second. Until then rows go another way, some microseconds
 * slower, but for those after the 2000th, which wait for it.
 */
public final class Panorm {
  private Panorm() {}

  /**
   * The backend that operators use unless they are built for another.
   *
   * @throws IllegalStateException if the setting names one that does not exist here
   */
  public static Backend backend() {
    return Backends.available().getLast();
  }

  /**
   * All backends that an operator can be built for, slowest first.
   *
   * @throws IllegalStateException if the setting names one that does not exist here
   */
  public static List<Backend> availableBackends() {
    return Backends.available();
  }

  /** Why the native library could not be loaded; empty if it was, or was not asked for. */
  public static Optional<Throwable> nativeFailure() {
    return Optional.ofNullable(Backends.nativeFailure());
  }

  /** The version of this library, such as {@code 0.1.0}. */
  public static String version() {
    try (InputStream in = Panorm.class.getResourceAsStream("version.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
