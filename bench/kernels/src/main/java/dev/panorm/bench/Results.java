package dev.panorm.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a section measured, and how. Kept as a file of JSON a section, so that one can be measured
 * again without the others.
 *
 * @param date when it began
 * @param commit what git calls the sources, "unknown" if nobody asked it
 * @param failures measurements that failed, one line each
 */
record Results(Section section, String date, String commit, String command, Environment environment,
    List<Duel.Outcome> duels, List<StartUp> startUps, List<LatencyProbe.Outcome> latencies,
    List<Absolute> absolutes, List<String> failures) {
  private static final ObjectMapper JSON = new ObjectMapper()
      .enable(SerializationFeature.INDENT_OUTPUT);

  /** One fresh JVM. */
  record StartUp(String variant, StartUpProbe.Outcome outcome) {}

  /** One point of {@link NormBenchmark}: ns and bytes per call, the first with JMH's error. */
  record Absolute(String side, Problem problem, int rows, int cols, double nanos, double error,
      double bytes) {}

  static Results empty(Section section, String date, String commit, String command) {
    return new Results(section, date, commit, command, Environment.here(), new ArrayList<>(),
        new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
  }

  /**
   * All that were kept in a folder.
   *
   * @throws IllegalStateException if a file is of another version of this
   */
  static List<Results> load(Path folder) {
    List<Results> all = new ArrayList<>();
    for (Section section : Section.values()) {
      Path file = file(folder, section);
      if (Files.exists(file)) {
        try {
          all.add(JSON.readValue(file.toFile(), Results.class));
        } catch (IOException e) {
          throw new IllegalStateException("Cannot read " + file + ", delete it: " + e.getMessage(),
              e);
        }
      }
    }
    return all;
  }

  void save(Path folder) {
    try {
      Files.createDirectories(folder);
      JSON.writeValue(file(folder, section).toFile(), this);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path file(Path folder, Section section) {
    return folder.resolve(section.name().toLowerCase(Locale.ROOT) + ".json");
  }
}
