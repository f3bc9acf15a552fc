package dev.panorm.paper.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.Backend;
import dev.panorm.Panorm;
import dev.panorm.paper.data.TinyPairs;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as users start it. */
class CommandsTest {
  @TempDir
  private Path folder;

  private static Process start(Path output, Backend backend, String... args) throws IOException {
    List<String> command = new ArrayList<>(
        List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
            "-Dstdout.encoding=UTF-8", "-cp", System.getProperty("java.class.path"),
            "-Dpanorm.backend=" + backend, "dev.panorm.paper.PaperMain"));
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectOutput(output.toFile())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  @Test
  void everyBackendGivesTheSameLosses() throws IOException, InterruptedException {
    Path pairs = folder.resolve("pairs.tsv");
    Files.write(pairs,
        TinyPairs.pairs(200).stream().map(p -> p.source() + "\t" + p.target()).toList(),
        StandardCharsets.UTF_8);
    Map<Backend, Process> processes = new LinkedHashMap<>();
    for (Backend backend : Panorm.availableBackends()) {
      processes.put(backend,
          start(folder.resolve(backend + ".txt"), backend, "translate-rnn", "--data",
              pairs.toString(), "--vocabulary", "330", "--width", "24", "--batch", "6", "--steps",
              "6", "--timing-steps", "2", "--norms",
              "none,layer_norm,rms_norm,p_rms_norm,l2_norm,batch_norm,weight_norm", "--results",
              folder.resolve(backend.toString()).toString()));
    }
    Map<Backend, List<List<Float>>> losses = new LinkedHashMap<>();
    for (Backend backend : processes.keySet()) {
      assertEquals(0, processes.get(backend).waitFor(), backend.toString());
      assertTrue(Files.readString(folder.resolve(backend + ".txt")).contains("| pRMSNorm |"));
      RunLog log = RunLog.read(folder.resolve(backend + "/translate-rnn/seed-1.jsonl"));
      assertEquals(backend.toString(), log.entries("run", Entry.Header.class).getFirst().backend());
      losses.put(backend,
          log.entries("turn", Entry.Turn.class).stream().map(Entry.Turn::losses).toList());
    }
    assertEquals(1, losses.values().stream().distinct().count(), losses.toString());
    assertEquals(1, losses.values().iterator().next().size());
  }

  @Test
  void everyCommandExplainsItself() {
    for (String command : List.of("translate-rnn", "translate-transformer", "centred-init",
        "language-model", "report")) {
      assertEquals(0, Commands.run(new PrintWriter(System.err), command, "--help"));
    }
  }

  @Test
  void badInputGivesOneLine() {
    Path pairs = folder.resolve("bad.tsv");
    assertBad("paper: " + pairs + ": cannot be read: ", "translate-rnn", "--data",
        pairs.toString());
    write(pairs, "one\teins\ntwo\n");
    assertBad("paper: " + pairs + ": line 2 has 1 columns", "translate-transformer", "--data",
        pairs.toString());
    write(pairs, "one\teins\ntwo\tzwei\n");
    assertBad("paper: 2 pairs on 1 pages", "centred-init", "--data", pairs.toString());
    assertBad("paper: The text has ", "language-model", "--text", pairs.toString());
    assertBad("paper: --steps is 0", "translate-rnn", "--steps", "0");
    assertBad("paper: --vocabulary is 5", "translate-rnn", "--vocabulary", "5");
    assertBad("paper: Invalid value for option '--norms'", "translate-rnn", "--norms", "zeronorm");
    assertBad("paper: Unknown option", "translate-rnn", "--no-such");
    assertBad("paper: WeightNorm normalizes weights", "language-model", "--norms", "weight_norm",
        "--text", write(folder.resolve("text.txt"), "some words and more\n\n".repeat(2000)),
        "--context", "16", "--width", "16", "--blocks", "1");
  }

  private String write(Path file, String text) {
    try {
      return Files.writeString(file, text).toString();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void assertBad(String line, String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--results", folder.resolve("results").toString()));
    StringWriter err = new StringWriter();
    assertEquals(2, Commands.run(new PrintWriter(err, true), all.toArray(String[]::new)));
    assertTrue(err.toString().startsWith(line), err.toString());
    assertEquals(1, err.toString().lines().count(), err.toString());
  }
}
