package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panorm.internal.NativeLibrary;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The native library loads, each time in a new JVM, or norms run in Java and one warning tells the
 * cause, or it was demanded and using a norm fails with the cause. Nothing is left behind, but for
 * what Windows does not let a process delete.
 */
class LoadingTest {
  private static final String LIBRARY = System.mapLibraryName("panorm");

  /** What a folder of an unpacked library is called, but for its last digit. */
  private static final String UNPACKED = "panorm-unpacked-0123456789abcde";

  /** The fastest one that works here. */
  private static final Backend NATIVE = Panorm.backend();

  /** Of rows (3, 4), each divided by the root mean square of its first element. */
  private static final String RESULT = (" 1.0 " + (double) (4f * (1 / 3f))).repeat(3);

  @TempDir
  Path folder;

  private Path temporary;

  /** How many copies have been unpacked and loaded: Windows deletes none that is in use. */
  private int loaded;

  /** Prints the backend and results: of one row, which needs no linking, and of two, which do. */
  static final class Probe {
    public static void main(String[] args) {
      RmsNorm norm = RmsNorm.builder().epsilon(0).partialWidth(1).build();
      System.out.print(Panorm.backend());
      for (int rows = 1; rows <= 2; rows++) {
        Tensor x = Tensor.ofArray(new float[] {3, 4, 3, 4}, 0, rows, 2);
        norm.forward(x, x);
        for (int row = 0; row < rows; row++) {
          System.out.print(" " + x.get(row, 0) + " " + x.get(row, 1));
        }
      }
    }
  }

  @BeforeEach
  void makeTemporary() throws IOException {
    temporary = Files.createDirectory(folder.resolve("tmp"));
  }

  private Jvm jvm() {
    return Jvm.running(Probe.class).property("java.io.tmpdir", temporary);
  }

  private static void worksOn(Backend backend, Jvm.Result result) {
    assertEquals(backend + RESULT, result.out(), result.err());
    assertEquals(0, result.exit());
  }

  private void loads(Jvm jvm) {
    Jvm.Result result = jvm.run();
    worksOn(NATIVE, result);
    assertEquals("", result.err());
    assertNothingLeft();
  }

  private void unpacksAndLoads(Jvm jvm) {
    loaded++;
    loads(jvm);
  }

  /** By one warning with these words; if the backend is demanded, by an error with them. */
  private void fallsBack(Jvm jvm, String... cause) {
    Jvm.Result result = jvm.run();
    worksOn(Backend.JAVA, result);
    assertEquals(2, result.err().split("WARNING: No native kernels, so norms run in Java: ").length,
        result.err());
    assertHas(result.err(), cause);
    assertNothingLeft();

    Jvm.Result demanded = jvm.property("panorm.backend", NATIVE).run();
    assertEquals(1, demanded.exit());
    assertEquals("", demanded.out());
    assertHas(demanded.err(), "IllegalStateException: -Dpanorm.backend=" + NATIVE + ": Backend "
        + NATIVE + " is not available here, only [java]");
    assertHas(demanded.err(), cause);
    assertFalse(demanded.err().contains("WARNING: No native"), demanded.err());
    assertNothingLeft();
  }

  private static void assertHas(String text, String... parts) {
    for (String part : parts) {
      assertTrue(text.contains(part), text);
    }
  }

  private void assertNothingLeft() {
    List<String> left = unpacked();
    if (OS.WINDOWS.isCurrentOs()) {
      assertTrue(
          left.size() <= loaded
              && left.stream().allMatch(name -> name.matches("panorm-unpacked-[0-9a-f]{16}")),
          left::toString);
    } else {
      assertEquals(List.of(), left);
    }
  }

  private List<String> unpacked() {
    if (!Files.isDirectory(temporary)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(temporary)) {
      return files.map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("hsperfdata"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] library() throws IOException {
    try (var in = new GZIPInputStream(new ByteArrayInputStream(packed()))) {
      return in.readAllBytes();
    }
  }

  private static byte[] packed() throws IOException {
    try (var in = ClassLoader.getSystemResourceAsStream(NativeLibrary.packedLibrary())) {
      return in.readAllBytes();
    }
  }

  private static byte[] pack(byte[] library) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(library);
    }
    return bytes.toByteArray();
  }

  /** A folder in place of the native jar, with this as the packed library. */
  private Path jarWith(byte[] packed) throws IOException {
    Path jar = folder.resolve("jar");
    Path file = jar.resolve(NativeLibrary.packedLibrary());
    Files.createDirectories(file.getParent());
    Files.write(file, packed);
    return jar;
  }

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  @Test
  void packedLibraryLoads() {
    unpacksAndLoads(jvm());
  }

  @Test
  void noJarOfThisPlatform() throws IOException {
    String classifier = NativeLibrary.packedLibrary().split("/")[2];
    fallsBack(jvm().nativeJar(folder),
        "add dev.panorm:panorm-native with classifier " + classifier);
    String system = classifier.split("-")[0];
    fallsBack(jvm().property("os.arch", "riscv64"), "classifier " + system + "-riscv64");
  }

  /** Ways in which a packed library may be damaged. */
  enum Damage {
    EMPTY {
      @Override
      byte[] of(byte[] packed) {
        return new byte[0];
      }
    },
    NOT_PACKED {
      @Override
      byte[] of(byte[] packed) {
        return "\177ELF and so on".getBytes();
      }
    },
    TRUNCATED {
      @Override
      byte[] of(byte[] packed) {
        return Arrays.copyOf(packed, packed.length / 2);
      }
    },
    LAST_BYTE_MISSING {
      @Override
      byte[] of(byte[] packed) {
        return Arrays.copyOf(packed, packed.length - 1);
      }
    },
    OTHER_CONTENT {
      @Override
      byte[] of(byte[] packed) {
        byte[] other = packed.clone();
        other[packed.length - CHECKSUM_FROM_END] ^= 1;
        return other;
      }
    };

    /** A gzip file ends in the CRC-32 and the length of what is packed, 4 bytes each. */
    private static final int CHECKSUM_FROM_END = 8;

    abstract byte[] of(byte[] packed) throws IOException;
  }

  @ParameterizedTest
  @EnumSource
  void damagedLibrary(Damage damage) throws Exception {
    byte[] damaged = damage.of(packed());
    fallsBack(jvm().nativeJar(jarWith(damaged)),
        NativeLibrary.packedLibrary() + " is damaged: " + damaged.length + " bytes, ");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void libraryOfAnotherArchitecture() throws Exception {
    byte[] library = library();
    library[18] = 22; // e_machine of the ELF header: IBM S/390
    fallsBack(jvm().nativeJar(jarWith(pack(library))), LIBRARY + ": ");
  }

  @Test
  void libraryOfAnotherAbi() throws Exception {
    Path old = compiled("""
        extern "C" {
        extern const char panorm_version[16] = "0.0.1";
        extern const int panorm_abi = -7;
        }
        """);
    fallsBack(jvm().property("panorm.library.path", old), "libpanorm 0.0.1 has ABI -7",
        "built for ABI");
    loaded = 2; // and demanded
    fallsBack(jvm().nativeJar(jarWith(pack(Files.readAllBytes(old)))), "has ABI -7");
  }

  @Test
  void anotherLibrary() throws Exception {
    Path other = compiled("extern const int panorama;");
    fallsBack(jvm().property("panorm.library.path", other), "is not libpanorm", "panorm_abi");
  }

  private Path compiled(String source) throws Exception {
    Path input = write("other.cpp", source.getBytes());
    Path output = folder.resolve(LIBRARY);
    Process compiler;
    try {
      compiler = new ProcessBuilder("c++", "-shared", "-fPIC", "-o", output.toString(),
          input.toString()).inheritIO().start();
    } catch (IOException e) {
      return skip("no c++: " + e.getMessage());
    }
    assertEquals(0, compiler.waitFor());
    return output;
  }

  /** Loudly: what is not tested is printed. */
  private static Path skip(String reason) {
    System.out.println("LoadingTest: SKIPPED: " + reason);
    assumeTrue(false, reason);
    return null;
  }

  @Test
  void namedLibrary() throws IOException {
    Path file = write("my lib.so", library());
    loads(jvm().property("panorm.library.path", file));
    Path named = write(LIBRARY, library());
    loads(jvm().property("panorm.library.path", named.getParent()));
    Path here = Path.of("").toAbsolutePath();
    if (here.getRoot().equals(file.getRoot())) { // else they are two drives of Windows
      loads(jvm().property("panorm.library.path", here.relativize(file)));
    }
    assertTrue(Files.exists(file) && Files.exists(named));
  }

  @Test
  void namedLibraryThatIsNone() throws IOException {
    Path missing = folder.resolve("missing.so");
    fallsBack(jvm().property("panorm.library.path", missing), missing.toString());
    Path text = write("text.so", "not a library".getBytes());
    fallsBack(jvm().property("panorm.library.path", text), text.toString());
  }

  @Test
  void namedLibraryIsBlank() {
    fallsBack(jvm().property("panorm.library.path", ""), "-Dpanorm.library.path is blank");
  }

  @Test
  void temporaryFolderWithSpacesAndUmlauts() throws IOException {
    temporary = Files.createDirectory(folder.resolve("täglich neu"));
    unpacksAndLoads(jvm());
  }

  @Test
  void noTemporaryFolder() throws IOException {
    temporary = folder.resolve("missing");
    fallsBack(jvm(), "Cannot unpack", temporary.toString(), "-Djava.io.tmpdir");
    temporary = write("file", new byte[0]);
    fallsBack(jvm(), "Cannot unpack", temporary.toString());
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void temporaryFolderOthersMayRenameIn() throws IOException {
    Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxrwxrwx"));
    fallsBack(jvm(), "Cannot unpack", temporary.toString(), "777, without the sticky bit");
    Files.setAttribute(temporary, "unix:mode", 01777);
    unpacksAndLoads(jvm());
  }

  @Test
  void temporaryFolderNotWritable() throws Exception {
    fallsBack(mounted("ro"), "Cannot unpack", temporary.toString(), "Read-only file system");
  }

  @Test
  void temporaryFolderWithoutExecution() throws Exception {
    fallsBack(mounted("noexec"), "noexec", temporary.toString(), "-Djava.io.tmpdir");
  }

  @Test
  void temporaryFolderFull() throws Exception {
    fallsBack(mounted("size=64k"), "Cannot unpack", temporary.toString(),
        "No space left on device");
  }

  /** Its temporary folder is a file system of its own, mounted for this JVM only. */
  private Jvm mounted(String options) throws Exception {
    String[] mount = {"unshare", "--mount", "sh", "-c",
      "mount -t tmpfs -o " + options + " tmpfs \"$0\" && exec \"$@\"", temporary.toString()};
    List<String> trial = new ArrayList<>(List.of(mount));
    trial.add("true");
    try {
      if (new ProcessBuilder(trial).start().waitFor() != 0) {
        skip("may not mount a file system with " + options);
      }
    } catch (IOException e) {
      skip("cannot mount a file system: " + e.getMessage());
    }
    return jvm().under(mount);
  }

  @Test
  void noHome() {
    unpacksAndLoads(
        jvm().property("user.home", folder.resolve("missing")).under("env", "-u", "HOME"));
  }

  @Test
  void manyAtOnce() {
    List<Jvm.Started> all = Stream.generate(() -> jvm().start()).limit(6).toList();
    for (Jvm.Started one : all) {
      Jvm.Result result = one.result();
      worksOn(NATIVE, result);
      assertEquals("", result.err());
    }
    loaded = all.size();
    assertNothingLeft();
  }

  /** In one JVM: each class loader needs a copy of its own. */
  @Test
  void twoClassLoaders() {
    Jvm.Result result = Jvm.running(TwoClassLoaders.class)
        .property("java.io.tmpdir", temporary)
        .run();
    assertEquals((NATIVE + RESULT).repeat(2), result.out(), result.err());
    loaded = 2;
    assertNothingLeft();
  }

  static final class TwoClassLoaders {
    public static void main(String[] args) throws Exception {
      String[] path = System.getProperty("java.class.path")
          .split(System.getProperty("path.separator"));
      URL[] urls = new URL[path.length];
      for (int i = 0; i < path.length; i++) {
        urls[i] = Path.of(path[i]).toUri().toURL();
      }
      for (int i = 0; i < 2; i++) {
        try (var loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
          var main = loader.loadClass(Probe.class.getName())
              .getDeclaredMethod("main", String[].class);
          main.setAccessible(true);
          main.invoke(null, (Object) args);
        }
      }
    }
  }

  @Test
  void nativeAccessDenied() {
    fallsBack(jvm().withoutNativeAccess(), "Illegal native access from an unnamed module");
  }

  @Test
  void unknownBackend() {
    Jvm.Result result = jvm().property("panorm.backend", "avx3").run();
    assertEquals(1, result.exit());
    assertHas(result.err(), "-Dpanorm.backend=avx3: Unknown backend \"avx3\"");
    assertNothingLeft();
  }

  @Test
  void backendByTheEnvironment() {
    for (Backend backend : List.of(Backend.JAVA, Backend.SCALAR, NATIVE)) {
      Jvm.Result result = jvm().under("env", "PANORM_BACKEND=" + backend).run();
      worksOn(backend, result);
      assertEquals("", result.err());
    }
    Jvm.Result unknown = jvm().under("env", "PANORM_BACKEND=avx3").run();
    assertEquals(1, unknown.exit());
    assertHas(unknown.err(), "IllegalStateException: PANORM_BACKEND=avx3: Unknown backend");
    loaded = 2; // scalar, native
    assertNothingLeft();
  }

  /** As a script sets it that has nothing to say. */
  @Test
  void blankIsNotSet() {
    unpacksAndLoads(jvm().under("env", "PANORM_BACKEND=").property("panorm.backend", " "));
  }

  @Test
  void backendOfAnotherProcessor() {
    Backend other = NATIVE == Backend.NEON ? Backend.AVX2 : Backend.NEON;
    Jvm.Result result = jvm().property("panorm.backend", other).run();
    assertEquals(1, result.exit());
    assertHas(result.err(), "-Dpanorm.backend=" + other + ": Backend " + other
        + " is not available here, only [java, scalar", NATIVE + "]");
    loaded = 1;
    assertNothingLeft();
  }

  /** Prints why a norm cannot be built for a higher backend than the one set. */
  static final class Higher {
    public static void main(String[] args) {
      try {
        RmsNorm.builder().backend(Backend.SCALAR);
      } catch (IllegalArgumentException e) {
        System.out.print(e.getMessage());
      }
    }
  }

  @Test
  void higherBackendThanTheOneSet() {
    Jvm.Result result = Jvm.running(Higher.class).property("panorm.backend", "java").run();
    assertEquals("Backend scalar is not available here, only [java] with -Dpanorm.backend=java",
        result.out(), result.err());
  }

  /** Even where that names none. */
  @Test
  void propertyBeforeTheEnvironment() {
    for (String other : List.of("java", "avx3")) {
      unpacksAndLoads(
          jvm().under("env", "PANORM_BACKEND=" + other).property("panorm.backend", NATIVE));
    }
  }

  /** What a JVM left behind that died between unpacking and loading goes, and nothing else. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void leftovers() throws IOException {
    leftover(UNPACKED + 1, LIBRARY);
    leftover(UNPACKED + 2); // died even earlier
    Path fresh = leftover(UNPACKED + 3, LIBRARY);
    Files.setLastModifiedTime(fresh, FileTime.from(Instant.now().minusSeconds(60)));
    leftover(UNPACKED + 4, "notes.txt");
    List<String> named = List.of("other", "panorm-0.1.0", UNPACKED + "0.1", UNPACKED + "10");
    for (String name : named) {
      leftover(name, LIBRARY);
    }

    Path victim = leftover("victim", LIBRARY);
    Files.createSymbolicLink(temporary.resolve(UNPACKED + 5), victim);
    aged(write("tmp/" + UNPACKED + 6, new byte[1]));
    Path others = leftover(UNPACKED + 7, LIBRARY);
    List<String> kept = new ArrayList<>(
        List.of(UNPACKED + 3, UNPACKED + 4, UNPACKED + 5, UNPACKED + 6, "victim"));
    kept.addAll(named);
    if (System.getProperty("user.name").equals("root")) {
      Files.setAttribute(others, "unix:uid", 65534);
      kept.add(UNPACKED + 7);
    }
    worksOn(NATIVE, jvm().run());
    kept.sort(null);
    assertEquals(kept, unpacked());
    assertTrue(Files.exists(fresh.resolve(LIBRARY)));
    assertTrue(Files.exists(victim.resolve(LIBRARY)));
    for (String name : named) {
      assertTrue(Files.exists(temporary.resolve(name).resolve(LIBRARY)), name);
    }
    assertEquals(kept.contains(UNPACKED + 7), Files.exists(others.resolve(LIBRARY)));
  }

  /** A name that is no text in the locale: nothing that any user leaves there keeps others out. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void leftoverOfAnUnspeakableName() throws Exception {
    String[] make = {"sh", "-c", "mkdir \"$0/panorm-unpacked-$(printf '\\377')\"",
      temporary.toString()};
    assertEquals(0, new ProcessBuilder(make).start().waitFor());
    worksOn(NATIVE, jvm().under("env", "LC_ALL=C").run());
  }

  private Path leftover(String name, String... files) throws IOException {
    Path directory = Files.createDirectory(temporary.resolve(name));
    for (String file : files) {
      Files.write(directory.resolve(file), new byte[1]);
    }
    return aged(directory);
  }

  private static Path aged(Path path) throws IOException {
    return Files.setLastModifiedTime(path, FileTime.from(Instant.now().minusSeconds(7200)));
  }
}
