package dev.panorm.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A fresh JVM, in which nothing has been compiled for anybody else. What it prints as a line of JSON
 * is handed on; what else it prints is shown should it fail.
 */
final class Child {
  /** Flags: the Vector API, and calls into native code. */
  static final String VECTOR_MODULE = "--add-modules=jdk.incubator.vector";
  static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

  private static final ObjectMapper JSON = new ObjectMapper();

  private Child() {}

  /** How a child says something. */
  static String line(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A new JVM, of this class path, with these flags and arguments, main class among them. */
  static List<String> java(List<String> flags, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(Arrays.asList(arguments));
    return command;
  }

  /**
   * Runs a command to its end.
   *
   * @throws IllegalStateException if it fails
   */
  static <T> void run(List<String> command, Class<T> type, Consumer<T> out) {
    List<String> rest = new ArrayList<>();
    int code;
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      // Not on the command line: ONNX Runtime 1.29 crashes where that is longer than 4 KB.
      builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
      Process process = builder.start();
      try (var lines = process.inputReader()) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith("{")) {
            out.accept(JSON.readValue(line, type));
          } else {
            rest.add(line);
          }
        }
      }
      code = process.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException("Interrupted", e);
    }
    if (code != 0) {
      throw new IllegalStateException("Exit code %d of %s: %s".formatted(code,
          String.join(" ", command), String.join("; ", rest)));
    }
  }
}
