package dev.panorm.internal;

import dev.panorm.internal.gen.PanormNative;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Finds and loads libpanorm: the file or folder that {@code -Dpanorm.library.path} names, or else
 * the copy for this platform that is packed with the library, once its checksum is verified.
 */
public final class NativeLibrary {
  /** Names the library file, or the folder it is in; loaded as it is. */
  public static final String PATH_PROPERTY = "panorm.library.path";

  /** PANORM_ABI. The bindings have it too, but a new JVM takes 20 ms to load them. */
  public static final int ABI = 5;

  /** 16 hex digits follow. Nobody else gives such a name: what has it is deleted one day. */
  private static final String DIRECTORY_PREFIX = "panorm-unpacked-";

  /** A directory is in use for milliseconds; after this long whoever made it has died. */
  private static final long STALE_MILLIS = 3_600_000;

  private NativeLibrary() {}

  /**
   * Loads the library into this class loader.
   *
   * @throws IOException if there is none for this platform, or it is damaged, or cannot be unpacked
   * @throws UnsatisfiedLinkError if the system cannot load it, or it is another or of another
   *     version
   */
  public static void load() throws IOException {
    String named = System.getProperty(PATH_PROPERTY);
    if (named != null) {
      if (named.isBlank()) {
        throw new IOException("-D" + PATH_PROPERTY + " is blank");
      }
      Path path = Path.of(named).toAbsolutePath();
      System.load((Files.isDirectory(path) ? path.resolve(fileName()) : path).toString());
    } else {
      loadPacked();
    }
    if (!hasAbi()) {
      throw otherLibrary();
    }
  }

  private static boolean hasAbi() {
    try {
      return abi() == ABI;
    } catch (UnsatisfiedLinkError e) {
      return false; // it has no such function
    }
  }

  private static UnsatisfiedLinkError otherLibrary() {
    try {
      int abi = PanormNative.panorm_abi();
      String version = PanormNative.panorm_version().getString(0);
      return new UnsatisfiedLinkError(
          "libpanorm %s has ABI %d, but this is built for ABI %d".formatted(version, abi, ABI));
    } catch (ExceptionInInitializerError e) {
      return linkError("The library is not libpanorm: " + e.getCause().getMessage(), e);
    }
  }

  /** A kernel of the loaded library; null if it or the backend does not exist here. */
  public static Kernel kernel(Op op, Element x, Element y, int backend) {
    long address = address(op.ordinal(), x.ordinal(), y.ordinal(), backend);
    long row = address(op.ordinal() | Op.ONE_ROW, x.ordinal(), y.ordinal(), backend);
    return address == 0
        ? null
        : new NativeKernel(MemorySegment.ofAddress(address), MemorySegment.ofAddress(row), op, x,
            y);
  }

  // By JNI, which needs no linking.
  private static native int abi();

  /** panorm_kernel. */
  private static native long address(int op, int x, int y, int backend);

  /** The resource that holds the library of this platform. */
  public static String packedLibrary() {
    return "META-INF/panorm/" + platform() + "/" + fileName() + ".gz";
  }

  private static String fileName() {
    return System.mapLibraryName("panorm");
  }

  private static void loadPacked() throws IOException {
    String resource = packedLibrary();
    byte[] packed = read(resource);
    File parent = new File(System.getProperty("java.io.tmpdir")).getAbsoluteFile();
    try {
      loadFrom(parent, packed);
    } catch (ZipException | EOFException e) {
      throw new IOException(resource + " is damaged: " + packed.length + " bytes, " + e, e);
    } catch (IOException e) {
      throw new IOException("Cannot unpack " + fileName() + " into " + parent
          + " (-Djava.io.tmpdir names another folder): " + e, e);
    } catch (UnsatisfiedLinkError e) {
      throw linkError(e.getMessage() + "; if " + parent + " is mounted noexec, -Djava.io.tmpdir "
          + "names another folder", e);
    }
  }

  private static void loadFrom(File parent, byte[] packed) throws IOException {
    File directory = newDirectory(parent.toPath());
    File file = new File(directory, fileName());
    try {
      unpack(packed, file);
      System.load(file.getPath());
    } finally {
      sweep(parent, directory);
      // Elsewhere than on Windows a loaded library may be deleted.
      file.delete();
      directory.delete();
    }
  }

  /** Verified by the length and the CRC-32 in it. (A better digest takes a new JVM 50 ms.) */
  private static void unpack(byte[] packed, File file) throws IOException {
    try (OutputStream out = new FileOutputStream(file)) {
      new GZIPInputStream(new ByteArrayInputStream(packed), 1 << 16).transferTo(out);
    }
  }

  private static byte[] read(String resource) throws IOException {
    try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("No " + resource
            + " on the class or module path: add dev.panorm:panorm-native with classifier "
            + platform() + ", on the module path with --add-modules dev.panorm.natives."
            + platform().replace('-', '.'));
      }
      return in.readAllBytes();
    }
  }

  /**
   * A new directory that only this user may enter, so that nobody can change what will be in it, in
   * one where nobody but its owner and its group can put another in its place. (Who names a folder of
   * another owner trusts that one.) Files.createTempDirectory would do, but for its secure random
   * numbers, which take a new JVM as long; creating it fails if it exists, so there is nothing to be
   * gained by guessing a name.
   */
  private static File newDirectory(Path parent) throws IOException {
    Path directory = parent.resolve(DIRECTORY_PREFIX
        + Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE));
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("unix")) {
      return Files.createDirectory(directory).toFile(); // Windows: the parent is this user's own
    }
    int mode = (int) Files.getAttribute(parent, "unix:mode");
    boolean othersWrite = (mode & 0002) != 0;
    boolean sticky = (mode & 01000) != 0;
    if (othersWrite && !sticky) {
      throw new IOException("others may rename what is in it: its mode is "
          + Integer.toOctalString(mode & 07777) + ", without the sticky bit");
    }
    FileAttribute<?> onlyOwner = PosixFilePermissions
        .asFileAttribute(EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE,
            PosixFilePermission.OWNER_EXECUTE));
    return Files.createDirectory(directory, onlyOwner).toFile();
  }

  /**
   * Deletes what JVMs of this user left behind: those that died at the wrong moment, and all on
   * Windows, where a library in use can be neither deleted nor, therefore, swept.
   */
  private static void sweep(File parent, File mine) {
    String[] names = parent.list();
    if (names == null) {
      return; // not readable
    }
    for (String name : names) {
      File directory = new File(parent, name);
      // The pattern last: a new JVM's first takes a millisecond.
      if (name.startsWith(DIRECTORY_PREFIX) && isStale(directory, mine.toPath())
          && name.matches(DIRECTORY_PREFIX + "[0-9a-f]{16}")) {
        new File(directory, fileName()).delete();
        directory.delete();
      }
    }
  }

  /** Not through a link, nor in another user's directory: any file of ours may be behind it. */
  private static boolean isStale(File file, Path mine) {
    try {
      Path directory = file.toPath();
      BasicFileAttributes attributes = Files.readAttributes(directory, BasicFileAttributes.class,
          LinkOption.NOFOLLOW_LINKS);
      return attributes.isDirectory()
          && System.currentTimeMillis() - attributes.lastModifiedTime().toMillis() > STALE_MILLIS
          && Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(mine));
    } catch (IOException | InvalidPathException e) {
      return false; // gone in the meantime, or a name that no JVM of this user has given
    }
  }

  private static UnsatisfiedLinkError linkError(String message, Throwable cause) {
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }

  /** The classifier of the native jars: linux-x86_64, macos-aarch64, windows-x86_64 and so on. */
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String system = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os;
    return system + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
