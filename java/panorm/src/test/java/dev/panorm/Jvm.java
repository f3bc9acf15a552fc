package dev.panorm;

import dev.panorm.internal.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM to be started: this one's Java, the library on the class path, a program of the tests. */
final class Jvm {
  /** What the program did. */
  record Result(int exit, String out, String err) {}

  private final Class<?> program;
  private final List<String> prefix = new ArrayList<>();
  private final List<String> options = new ArrayList<>(List.of("-Xmx1g"));
  private Path nativeJar = container(NativeLibrary.packedLibrary());
  private String nativeAccess = "--enable-native-access=ALL-UNNAMED";

  private Jvm(Class<?> program) {
    this.program = program;
  }

  static Jvm running(Class<?> program) {
    return new Jvm(program);
  }

  /** The jar or folder that a resource is in. */
  static Path container(String resource) {
    // From the class loader, since the module in which tests run seems to be one folder only.
    String url = Jvm.class.getClassLoader().getResource(resource).toString();
    String root = url.substring(0, url.length() - resource.length() - 1);
    return Path.of(URI.create(root.replaceFirst("^jar:", "").replaceFirst("!$", "")));
  }

  private static Path folderOf(Class<?> type) {
    return container(type.getName().replace('.', '/') + ".class");
  }

  /** What a program calls for its rows to reach kernels as they are: the first ones are copied. */
  static void passFirstRows() {
    Tensor row = Tensor.ofArray(1f);
    do {
      RmsNorm.builder().build().forward(row, row);
    } while (isAtFirstRows());
  }

  /** Whether the handle that rows go by, other than the first ones, is being linked. */
  static boolean isAtFirstRows() {
    return Thread.getAllStackTraces()
        .keySet()
        .stream()
        .anyMatch(thread -> thread.getName().equals("panorm-link"));
  }

  /** Puts a command before "java". */
  Jvm under(String... command) {
    prefix.addAll(List.of(command));
    return this;
  }

  Jvm option(String option) {
    options.add(option);
    return this;
  }

  Jvm property(String name, Object value) {
    return option("-D" + name + "=" + value);
  }

  /** This in place of the native library's jar. */
  Jvm nativeJar(Path jarOrFolder) {
    nativeJar = jarOrFolder;
    return this;
  }

  Jvm withoutNativeAccess() {
    nativeAccess = "--illegal-native-access=deny";
    return this;
  }

  /** Runs to the end, which must come within two minutes. */
  Result run(String... arguments) {
    return start(arguments).result();
  }

  Started start(String... arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(nativeAccess);
    command.addAll(options);
    command.add("-cp");
    command.add(folderOf(program) + File.pathSeparator + folderOf(Panorm.class) + File.pathSeparator
        + nativeJar);
    command.add(program.getName());
    command.addAll(List.of(arguments));
    try {
      Path out = Files.createTempFile("panorm-test", ".out");
      Path err = Files.createTempFile("panorm-test", ".err");
      ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile())
          .redirectError(err.toFile());
      builder.environment().remove("PANORM_BACKEND");
      return new Started(builder.start(), out, err);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A program under way. */
  record Started(Process process, Path out, Path err) {
    Result result() {
      try {
        boolean ended = process.waitFor(2, TimeUnit.MINUTES);
        if (!ended) {
          process.destroyForcibly().waitFor();
        }
        Result result = new Result(process.exitValue(), Files.readString(out),
            Files.readString(err));
        Files.delete(out);
        Files.delete(err);
        if (!ended) {
          throw new AssertionError("not at its end after two minutes: " + result);
        }
        return result;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
