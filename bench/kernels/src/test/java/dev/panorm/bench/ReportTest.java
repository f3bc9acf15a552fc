package dev.panorm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static Duel.Outcome outcome(String second, int cols, double ratio) {
    return new Duel.Outcome("native:rms_norm:f32", second, 1, cols,
        new Pairing.Result(100, 100 * ratio, 100 * ratio - 100, ratio), ratio - 0.1, ratio + 0.1);
  }

  private static Results java(Duel.Outcome... outcomes) {
    Results results = Results.empty(Section.JAVA, "2026-01-01", "run");
    results.duels().addAll(List.of(outcomes));
    return results;
  }

  private static Goal.Verdict first(Results results) {
    return Goal.all().getFirst().verdict().apply(new Measurements(List.of(results)));
  }

  @Test
  void theJvmInTheMiddleCounts() {
    Duel.Outcome merged = Duel.Outcome.of(List.of(outcome("plain:rms_norm:f32", 64, 3),
        outcome("plain:rms_norm:f32", 64, 1), outcome("plain:rms_norm:f32", 64, 2)));
    assertEquals(new Duel.Outcome("native:rms_norm:f32", "plain:rms_norm:f32", 1, 64,
        new Pairing.Result(100, 200, 100, 2), 1 - 0.1, 3 + 0.1), merged);
  }

  @Test
  void goalIsMetByTheLeastShape() {
    Duel.Outcome wide = outcome("plain:rms_norm:f32", 1024, 9);
    Duel.Outcome narrow = outcome("plain:rms_norm:f32", 64, 2); // Not asked of.
    Goal.Verdict met = first(java(wide, narrow));
    assertEquals("least 9.00 at 1x1024 (plain)", met.reached());
    assertTrue(met.met());
    assertFalse(first(java(wide, outcome("plain:rms_norm:f32", 384, 7.99))).met());
    assertEquals(Goal.Verdict.UNKNOWN, first(java(narrow)));
  }

  @Test
  void lossesAreListed() {
    String text = new Report(new Measurements(List.of(
        java(outcome("vector:rms_norm:f32", 64, 0.6), outcome("vector:rms_norm:f32", 128, 1.6)))))
        .text();
    String losses = text.substring(text.indexOf("## Where we lose"));
    assertTrue(losses.contains("| rms norm f32 | 1 x 64 | vector | 0.60 (0.50–0.70) | 40.0 |"),
        losses);
    assertFalse(losses.contains("1 x 128"), losses);
    assertFalse(text.contains("${"), text);
  }

  @Test
  void resultsAreKept(@TempDir Path folder) throws IOException {
    Results results = java(outcome("plain:rms_norm:f32", 64, 2));
    results.latencies()
        .add(new LatencyProbe.Outcome("native", 10, new LatencyProbe.Quantiles(1, 2, 3, 4),
            new LatencyProbe.Quantiles(1, 2, 3, 4), 5, 6));
    results.startUps().add(new Results.StartUp("native", new StartUpProbe.Outcome(1, 2, 3, 4, 5)));
    results.absolutes()
        .add(new Results.Absolute("native", new Problem(Operation.RMS_NORM, Format.F32), 1, 64, 50,
            1, 0));
    results.save(folder);
    assertEquals(List.of(results), Results.load(folder));
    new Charts(new Measurements(List.of(results))).write(folder);
    assertTrue(Files.readString(folder.resolve("java.svg")).contains("</svg"));
    assertFalse(Files.exists(folder.resolve("peers.svg")), "nothing measured, nothing drawn");
  }
}
