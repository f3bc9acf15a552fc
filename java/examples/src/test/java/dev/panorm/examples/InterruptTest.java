package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Stops the command from outside, as a terminal and the tools around it do. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(60)
class InterruptTest {
  /** Tokens: far more than a pipe holds, so that the story cannot end before the signal. */
  private static final int ENDLESS = 100_000;

  @TempDir
  Path folder;

  @Test
  void controlCEndsTheStoryWith130() throws Exception {
    assertCleanEnd("INT", 130);
  }

  @Test
  void terminationEndsTheStoryWith143() throws Exception {
    assertCleanEnd("TERM", 143);
  }

  @Test
  void closedPipeEndsTheStoryQuietly() throws Exception {
    Process process = start();
    process.getInputStream().read();
    process.getInputStream().close();
    assertEquals(0, process.waitFor());
    assertEquals("", Files.readString(folder.resolve("err")));
  }

  private void assertCleanEnd(String signal, int code) throws Exception {
    Process process = start();
    InputStream out = process.getInputStream();
    int first = out.read();
    new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).start().waitFor();
    byte[] rest = out.readAllBytes();
    assertEquals(code, process.waitFor());
    assertEquals("", Files.readString(folder.resolve("err")));
    ByteBuffer all = ByteBuffer.allocate(1 + rest.length).put((byte) first).put(rest).flip();
    String text = StandardCharsets.UTF_8.newDecoder().decode(all).toString(); // throws if it is not
    String stem = text.stripTrailing();
    assertEquals("é".repeat(stem.length()) + "\n", text);
  }

  /** Starts a story of é without end, each written as two tokens. */
  private Process start() throws IOException {
    byte[] bytes = TinyModel.cycle(ENDLESS, 1, Tokenizer.BOS, TinyModel.id(0xC3),
        TinyModel.id(0xA9));
    Path model = TinyModel.write(folder, "endless.bin", bytes);
    Path tokenizer = TinyModel.write(folder, "tok.bin", TinyModel.tokenizer());
    List<String> command = new ArrayList<>();
    if (interruptIsIgnored()) {
      command.addAll(List.of("env", "--default-signal=INT"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Java's own norms: a native library that is missing would be worth a warning.
    command.addAll(List.of("-Dpanorm.backend=java", "-cp", classPath()));
    command.add(StoryTeller.class.getName());
    command.addAll(List.of("--tokens", "" + ENDLESS, "--temperature", "0"));
    command.addAll(List.of("--model", model.toString(), "--tokenizer", tokenizer.toString()));
    return new ProcessBuilder(command).redirectError(folder.resolve("err").toFile()).start();
  }

  /** Children inherit that; a shell does it to jobs in the background. */
  private static boolean interruptIsIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    return Files.readAllLines(status)
        .stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
  }

  /** What this JVM has on either path. */
  private static String classPath() {
    return Stream.of("jdk.module.path", "java.class.path")
        .map(System::getProperty)
        .filter(Objects::nonNull)
        .collect(Collectors.joining(File.pathSeparator));
  }
}
