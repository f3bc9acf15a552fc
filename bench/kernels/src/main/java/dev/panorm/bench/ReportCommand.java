package dev.panorm.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The report alone. */
@Command(name = "report", mixinStandardHelpOptions = true, description = {
  "Writes the report again, from what runs have measured."})
final class ReportCommand implements Runnable {
  @Option(names = "--report", paramLabel = "DIR", description = {
    "The report's folder: what runs have measured is in its results/. Default: the folder "
        + "bench/kernels that this was built in."})
  private Path folder = folder();

  /** Where runs keep what they measure: beside the report, so that every clone can extend it. */
  static Path results(Path folder) {
    return folder.resolve("results");
  }

  /** This module's own folder. */
  static Path folder() {
    return Folders.target().resolve("..").normalize();
  }

  @Override
  public void run() {
    write(folder);
    System.err.println("Report: " + folder.resolve("REPORT.md"));
  }

  /**
   * The folder of the charts, made if there is none.
   *
   * @throws IllegalArgumentException if nothing can be written there
   */
  static Path charts(Path folder) {
    Path charts = folder.resolve("charts");
    try {
      Files.createDirectories(charts);
    } catch (IOException e) {
      throw new IllegalArgumentException("--report: cannot make the folder " + charts, e);
    }
    if (!Files.isWritable(folder) || !Files.isWritable(charts)) {
      throw new IllegalArgumentException("--report: cannot write to " + folder);
    }
    return charts;
  }

  static void write(Path folder) {
    Path charts = charts(folder);
    List<Results> results = Results.load(results(folder));
    if (results.isEmpty()) {
      throw new IllegalStateException(
          "Nothing has been measured yet for " + folder + ": run first");
    }
    try {
      Measurements measured = new Measurements(results);
      Files.writeString(folder.resolve("REPORT.md"), new Report(measured).text());
      new Charts(measured).write(charts);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
