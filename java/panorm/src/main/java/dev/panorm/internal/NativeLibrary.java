package dev.panorm.internal;

import dev.panorm.internal.gen.PanormNative;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Finds and loads libpanorm: the file or folder that {@code -Dpanorm.library.path} names, or else
 * the copy for this platform that is packed with the library, once its checksum is verified.
 */
public final class NativeLibrary {
  /** Names the library file, or the folder it is in; loaded as it is. */
  public static final String PATH_PROPERTY = "panorm.library.path";

  private NativeLibrary() {}

  /**
   * Loads the library into this class loader; later calls do nothing.
   *
   * @throws IOException if there is none for this platform, or it cannot be read or verified
   * @throws UnsatisfiedLinkError if the system cannot load it, or it is of another version
   */
  public static synchronized void load() throws IOException {
    String named = System.getProperty(PATH_PROPERTY);
    if (named != null) {
      Path path = Path.of(named).toAbsolutePath();
      System.load((Files.isDirectory(path) ? path.resolve(fileName()) : path).toString());
    } else {
      loadPacked();
    }
    if (PanormNative.panorm_abi() != PanormNative.PANORM_ABI()) {
      throw new UnsatisfiedLinkError("libpanorm %s has ABI %d, but this is built for ABI %d"
          .formatted(version(), PanormNative.panorm_abi(), PanormNative.PANORM_ABI()));
    }
  }

  /** The version of the loaded library. */
  public static String version() {
    return PanormNative.panorm_version().getString(0);
  }

  /** A kernel of the loaded library; null if it or the backend does not exist here. */
  public static Kernel kernel(Op op, Element x, Element y, int backend) {
    MemorySegment address = PanormNative.panorm_kernel(op.ordinal(), x.ordinal(), y.ordinal(),
        backend);
    return address.equals(MemorySegment.NULL) ? null : new NativeKernel(address, op, x, y);
  }

  private static String fileName() {
    return System.mapLibraryName("panorm");
  }

  private static void loadPacked() throws IOException {
    String resource = "META-INF/panorm/" + platform() + "/" + fileName();
    byte[] library = read(resource);
    String expected = new String(read(resource + ".sha256"), StandardCharsets.US_ASCII).strip();
    String actual = HexFormat.of().formatHex(sha256(library));
    if (!actual.equals(expected)) {
      throw new IOException(
          resource + " is damaged: its SHA-256 is " + actual + ", not " + expected);
    }
    // A new directory that only this user may enter: nobody can put another file in its place.
    Path directory = Files.createTempDirectory("panorm-");
    Path file = directory.resolve(fileName());
    try {
      Files.write(file, library);
      System.load(file.toString());
    } finally {
      removeLater(file);
      removeLater(directory);
    }
  }

  /** At once where a loaded library may be unlinked, when the JVM ends elsewhere. */
  private static void removeLater(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      path.toFile().deleteOnExit();
    }
  }

  private static byte[] read(String resource) throws IOException {
    try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("No " + resource
            + " on the class or module path: add dev.panorm:panorm-native with classifier "
            + platform());
      }
      return in.readAllBytes();
    }
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** The classifier of the native jars: linux-x86_64, macos-aarch64, windows-x86_64 and so on. */
  static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String system = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os;
    return system + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
