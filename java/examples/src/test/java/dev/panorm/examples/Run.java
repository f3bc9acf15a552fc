package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What one run of the command printed, and its exit code. */
record Run(int code, String out, String err) {

  static Run story(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    int code = StoryTeller.run(out, errors, Interrupt.never(), args);
    return new Run(code, out.toString(StandardCharsets.UTF_8),
        err.toString(StandardCharsets.UTF_8));
  }

  /** The story alone, its last newline included, once the run has gone well. */
  String text() {
    assertEquals("", err);
    assertEquals(0, code);
    return out.substring(0, tableStart());
  }

  /** The lines below the story and the empty line. */
  String table() {
    return out.substring(tableStart() + 1);
  }

  private int tableStart() {
    int start = out.lastIndexOf("\ntokens ");
    assertTrue(start >= 0, out);
    return start;
  }
}
