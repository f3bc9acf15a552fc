package dev.panorm.paper.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.paper.BadInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  @TempDir
  private Path folder;

  @BeforeEach
  void logs() throws IOException {
    Files.createDirectories(folder.resolve("results/some"));
    log("seed-1", List.of("LayerNorm", "RMSNorm"), 0);
    log("seed-2", List.of("LayerNorm", "RMSNorm"), 0.2);
    log("timing", List.of("LayerNorm", "LayerNorm, op by op", "RMSNorm, op by op"), 0);
  }

  private static Entry.Header header(long seed, int steps, List<String> norms, int width) {
    return new Entry.Header("run", "some", seed, steps, norms, Map.of("width", width), "a machine",
        "a JVM", "scalar", "2026-01-01T00:00:00Z");
  }

  /** Turns of ten steps; the first fifth is not to count. */
  private void log(String name, List<String> norms, double more) {
    RunLog log = RunLog.create(folder.resolve("results/some/" + name + ".jsonl"));
    log.add(header(1, 50, norms, 8));
    double[] seconds = {4, 3, 2};
    for (int step = 0; step < 50; step += 10) {
      double late = step == 0 ? 1000 : 1 + step / 1000.0;
      log.add(new Entry.Turn("turn", step, 10,
          norms.stream().map(n -> late * seconds[norms.indexOf(n)]).toList(),
          norms.stream().map(n -> 0.125).toList(), norms.stream().map(n -> 2f).toList()));
    }
    log.add(new Entry.Development("development", 25, norms.stream().map(n -> 3 + more).toList()));
    log.add(new Entry.Development("development", 50,
        norms.stream().map(n -> 1 + norms.indexOf(n) + more).toList()));
    log.add(new Entry.Quality("quality", "RMSNorm", Map.of("BLEU test", 20 + more)));
  }

  @Test
  void tableHasMeansSpreadsAndRatiosOfTurns() {
    List<String> lines = new Summary(folder.resolve("results/some")).table().lines().toList();
    assertEquals("| norm | development loss | BLEU test | s per 1,000 steps | less than LayerNorm "
        + "| norms' share | op by op: s per 1,000 steps | op by op: less than LayerNorm "
        + "| op by op: norms' share | one kernel: less than op by op |", lines.get(0));
    // Turns at 10 to 40 steps take 1.01 to 1.04 times as long: median 1.025.
    assertEquals(
        "| LayerNorm | 1.100 ± 0.141 | – | 410.0 ± 0.0 | – | 12.5 % | 307.5 | – | 12.5 % | -33.3 % |",
        lines.get(2));
    assertEquals("| RMSNorm | 2.100 ± 0.141 | 20.1 ± 0.1 | 307.5 ± 0.0 | 25.0 % | 12.5 % "
        + "| 205.0 | 33.3 % | 12.5 % | – |", lines.get(3));
  }

  @Test
  void runsThatDifferInMoreThanTheSeedAreRefused() {
    Path some = folder.resolve("results/some");
    List<String> norms = List.of("LayerNorm", "RMSNorm");
    for (Entry.Header other : List.of(header(7, 60, norms, 8), header(7, 50, norms, 9),
        header(7, 50, List.of("LayerNorm", "pRMSNorm"), 8))) {
      RunLog.create(some.resolve("seed-7.jsonl")).add(other);
      assertEquals(some + ": seeds 1 and 7 differ in steps, norms or settings; move one elsewhere",
          assertThrows(BadInput.class, () -> new Summary(some)).getMessage());
    }
  }

  @Test
  void pageIsFilledInAgainAndAgain() throws IOException {
    Path page = folder.resolve("RESULTS.md");
    Files.writeString(page, "Title\n<!-- begin some -->\nold\n<!-- end some -->\nText\n");
    new Report(folder.resolve("results"), page).write();
    String once = Files.readString(page);
    new Report(folder.resolve("results"), page).write();
    assertEquals(once, Files.readString(page));
    assertTrue(
        once.startsWith("Title\n<!-- begin some -->\n\nSeeds [1, 1]; 50 steps of each model; "
            + "width 8. Times are of 8 turns; op by op, of 4 with seed 1. a machine; "),
        once);
    assertTrue(once.endsWith("<!-- end some -->\nText\n") && !once.contains("old"), once);
    assertTrue(once.contains("](results/some/loss-steps.svg)"), once);
    assertTrue(Files.readString(folder.resolve("results/some/loss-time.svg")).contains("</svg"));
  }

  @Test
  void pagesAndLogsAreChecked() throws IOException {
    Path page = folder.resolve("RESULTS.md");
    Report report = new Report(folder.resolve("results"), page);
    assertThrows(BadInput.class, report::write);
    Files.writeString(page, "<!-- begin some -->\n");
    assertThrows(BadInput.class, report::write);
    Files.writeString(page, "<!-- begin other -->\n<!-- end other -->\n");
    assertThrows(BadInput.class, report::write);
    Files.writeString(folder.resolve("results/some/seed-3.jsonl"), "{\"type\":\n");
    Files.writeString(page, "<!-- begin some -->\n<!-- end some -->\n");
    assertTrue(assertThrows(BadInput.class, report::write).getMessage().contains("line 1"));
  }
}
