package dev.panorm.bench;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Everything, then the report. */
@Command(name = "run", mixinStandardHelpOptions = true, sortOptions = false, description = {
  "Measures everything and writes the report, REPORT.md and its charts, over the one before.",
  "Other libraries take part if this is run from bench/peers."})
final class RunCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME = DateTimeFormatter
      .ofPattern("yyyy-MM-dd HH:mm 'UTC'", Locale.ROOT);

  @Spec
  private CommandSpec spec;

  @Option(names = "--full", description = {
    "Every shape, long: half a day. By default a part of the shapes, in 30 to 45 minutes."})
  private boolean full;

  @Option(names = "--sections", split = ",", paramLabel = "SECTION", description = {
    "Only these: ${COMPLETION-CANDIDATES}. The report takes the others from earlier runs."})
  private Section[] sections;

  @Option(names = "--report", paramLabel = "DIR", description = {
    "The report's folder, which keeps what was measured. Default: the folder bench/kernels that "
        + "this was built in."})
  private Path folder = ReportCommand.folder();

  /** Something to run. */
  private interface Step {
    void run(Results results) throws Exception;
  }

  /** One and how many seconds it is thought to take. */
  private record Timed(Section section, String name, double seconds, Step step) {}

  @Override
  public Integer call() {
    List<Section> chosen = sections == null
        ? Arrays.stream(Section.values())
            .filter(section -> section != Section.PEERS || !Contenders.peers().isEmpty())
            .toList()
        : Arrays.asList(sections);
    if (chosen.contains(Section.PEERS) && Contenders.peers().isEmpty()) {
      throw new ParameterException(spec.commandLine(),
          "No other library is on the class path: see the README of bench/peers");
    }
    // Now, not after all of it.
    ReportCommand.charts(folder);
    Results.load(ReportCommand.results(folder));
    List<Timed> steps = new ArrayList<>();
    for (Section section : chosen) {
      steps.addAll(steps(section));
    }
    int failures = run(steps, chosen);
    ReportCommand.write(folder);
    System.err.println("Report: " + folder.resolve("REPORT.md"));
    return failures == 0 ? 0 : 1;
  }

  private int run(List<Timed> steps, List<Section> chosen) {
    String command = "java -jar " + System.getProperty("java.class.path") + " "
        + String.join(" ", spec.commandLine().getParent().getParseResult().originalArgs());
    String commit = Commit.here();
    Map<Section, Results> all = new EnumMap<>(Section.class);
    double seconds = steps.stream().mapToDouble(Timed::seconds).sum();
    int failures = 0;
    try (ProgressBar bar = new ProgressBarBuilder().setTaskName("bench")
        .setInitialMax(Math.round(seconds))
        .setUnit(" s", 1)
        .setUpdateIntervalMillis(1000)
        .build()) {
      double done = 0;
      for (int i = 0; i < steps.size(); i++) {
        Timed step = steps.get(i);
        Results results = all.computeIfAbsent(step.section, section -> Results.empty(section,
            LocalDateTime.now(ZoneOffset.UTC).format(TIME), commit, command));
        bar.setExtraMessage(step.name);
        try {
          step.step.run(results);
        } catch (Exception e) {
          results.failures().add(step.name + ": " + e.getMessage());
          failures++;
        }
        if (i + 1 == steps.size() || steps.get(i + 1).section != step.section) {
          results.save(ReportCommand.results(folder));
        }
        done += step.seconds;
        bar.stepTo(Math.round(done));
      }
    }
    for (Section section : chosen) {
      all.get(section).failures().forEach(failure -> System.err.println("bench: " + failure));
    }
    return failures;
  }

  private List<Timed> steps(Section section) {
    return switch (section) {
      case START_UP -> startUp();
      case LATENCY -> latency();
      case JMH -> jmh();
      default -> duels(section);
    };
  }

  private List<Timed> duels(Section section) {
    int jvms = full ? 5 : 3;
    int pairs = full ? 60 : 20;
    int warmUp = full ? 200 : 100;
    List<Timed> steps = new ArrayList<>();
    for (Duel duel : new Duels(full).of(section)) {
      double seconds = 3;
      for (Shape shape : duel.shapes()) {
        double small = (warmUp + (pairs + 3) * 2.5) / 1000;
        double setUp = shape.elements() * 1e-7;
        seconds += small + setUp + shape.elements() * (pairs + 3) * 1e-9;
      }
      String name = duel.first() + " " + duel.second();
      steps.add(new Timed(section, name, jvms * seconds,
          results -> duel.inChildren(jvms, pairs, warmUp, results.duels()::add)));
    }
    return steps;
  }

  private List<Timed> startUp() {
    List<Timed> steps = new ArrayList<>();
    for (StartUpVariant variant : StartUpVariant.all()) {
      if (variant.cached()) {
        steps.add(new Timed(Section.START_UP, variant.name(), 4, _ -> variant.makeCache()));
      }
    }
    for (int round = 0; round < (full ? 31 : 9); round++) {
      for (StartUpVariant variant : StartUpVariant.all()) {
        steps.add(new Timed(Section.START_UP, variant.name(), 2.3,
            results -> results.startUps().add(variant.run())));
      }
    }
    return steps;
  }

  private List<Timed> latency() {
    double seconds = full ? 20 : 3;
    List<Timed> steps = new ArrayList<>();
    for (int round = 0; round < (full ? 10 : 3); round++) {
      for (int callers : LatencyProbe.callers()) {
        for (String side : List.of("native", "vector", "plain")) {
          steps.add(new Timed(Section.LATENCY, "latency of " + side, seconds + 3,
              results -> Child.run(
                  Child.java(List.of(Child.VECTOR_MODULE, Child.NATIVE_ACCESS, LatencyProbe.HEAP),
                      LatencyProbe.class.getName(), side, "" + seconds, "" + callers),
                  LatencyProbe.Outcome.class, results.latencies()::add)));
        }
      }
    }
    return steps;
  }

  private List<Timed> jmh() {
    List<Timed> steps = new ArrayList<>();
    for (NormPoint point : full ? NormPoint.all() : NormPoint.few()) {
      steps.add(new Timed(Section.JMH, point.toString(), full ? 14 : 5,
          results -> results.absolutes().add(point.run(full, log()))));
    }
    return steps;
  }

  /** JMH's own words. */
  private static String log() {
    return Folders.target().resolve("jmh.log").toString();
  }
}
