package dev.panorm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.Panorm;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private record Ran(int code, List<String> out, List<String> err) {}

  private static Ran run(String arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream realOut = System.out;
    PrintStream realErr = System.err;
    int code;
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
      code = Main.run(arguments.isEmpty() ? new String[0] : arguments.split(" "));
    } finally {
      System.setOut(realOut);
      System.setErr(realErr);
    }
    return new Ran(code, out.toString(StandardCharsets.UTF_8).lines().toList(),
        err.toString(StandardCharsets.UTF_8).lines().toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sing", "duel", "duel native", "duel native nobody",
    "duel native plain --op fly", "duel native:fly plain", "duel native plain --type f8",
    "duel memcpy native", "duel native plain --rows 0", "duel native plain --cols many",
    "duel native plain --shapes 1", "duel native plain --shapes axb", "duel native plain --pairs 0",
    "duel native plain --jvms 0", "duel native plain --warm-up -1", "run --sections all",
    "run --sections peers", "run --fast", "duel : plain", "duel native:rms_norm:f32:zzz plain",
    "duel native plain --pairs 2147483647", "duel native plain --shapes 99999x9999",
    "report --report /dev/null", "run --report /dev/null/here"})
  void wrongArgumentsAreOneLineAndCode2(String arguments) {
    Ran ran = run(arguments);
    assertEquals(2, ran.code, ran.toString());
    assertEquals(1, ran.err.size(), ran.toString());
    assertEquals(List.of(), ran.out);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-V", "run -V", "report -V", "duel -V"})
  void versionIsPrinted(String arguments) {
    Ran ran = run(arguments);
    assertEquals(0, ran.code, ran.toString());
    assertEquals(List.of("panorm-bench " + Panorm.version()), ran.out);
  }

  @Test
  void shapesCountOnce() {
    Ran ran = run("duel plain scalar --shapes 1x5,2x5,1x5 --pairs 1 --warm-up 0 --jvms 1");
    assertEquals(0, ran.code, ran.toString());
    assertEquals(3, ran.out.size(), ran.toString());
  }

  @Test
  void duelPrintsALineForEachShape() {
    Ran ran = run("duel plain scalar --rows 1,2 --cols 5,64 --pairs 3 --warm-up 0 --jvms 2");
    assertEquals(0, ran.code, ran.toString());
    assertEquals(5, ran.out.size(), ran.toString());
    assertTrue(ran.out.getFirst().contains("plain:rms_norm:f32, then scalar:rms_norm:f32"));
    assertTrue(ran.out.getLast().strip().startsWith("2x64 "), ran.toString());
  }
}
