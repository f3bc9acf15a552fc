package dev.panorm.bench;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.HdrHistogram.Histogram;

/** REPORT.md: what was measured, in the words of the template report.md. */
record Report(Measurements measured) {
  private static final int LOSSES = 40;

  String text() {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("environment", environment());
    parts.put("goals", goals());
    parts.put("java", byFirst(Section.JAVA));
    parts.put("forms", forms());
    parts.put("limit", limit());
    parts.put("call", call());
    parts.put("peers", byFirst(Section.PEERS));
    parts.put("startUp", startUp());
    parts.put("latency", latency());
    parts.put("jmh", jmh());
    parts.put("unmet", unmet());
    parts.put("losses", losses());
    String text = template();
    for (Map.Entry<String, String> part : parts.entrySet()) {
      text = text.replace("${" + part.getKey() + "}",
          part.getValue().isEmpty() ? "Not measured." : part.getValue());
    }
    return text;
  }

  private static String template() {
    try (InputStream in = Report.class.getResourceAsStream("report.md")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String environment() {
    Map<Environment, List<String>> machines = new LinkedHashMap<>();
    for (Results r : measured.results()) {
      machines.computeIfAbsent(r.environment(), _ -> new ArrayList<>())
          .add(name(r.section().name()));
    }
    List<List<String>> rows = new ArrayList<>();
    machines.forEach((e, sections) -> {
      String of = machines.size() == 1 ? "" : " of " + String.join(", ", sections);
      rows.add(List.of("processor" + of, "%s, %d cores, caches %d KiB, %d KiB, %d KiB"
          .formatted(e.cpu(), e.cores(), e.l1() >> 10, e.l2() >> 10, e.l3() >> 10)));
      rows.add(List.of("system" + of, e.os()));
      rows.add(List.of("JDK" + of, e.jdk()));
      rows.add(List.of("Panorm" + of, e.panorm() + ", backend " + e.backend()));
    });
    rows.add(List.of("flags", "`" + Child.VECTOR_MODULE + "` where the Vector API runs, `"
        + Child.NATIVE_ACCESS + "` where native code does; otherwise the JVM's defaults"));
    for (Results r : measured.results()) {
      String failures = r.failures().isEmpty() ? "" : "; failed: " + r.failures().size();
      rows.add(List.of(name(r.section().name()),
          "%s, commit %s, `%s`%s".formatted(r.date(), r.commit(), r.command(), failures)));
    }
    return table(List.of("what", "is"), rows);
  }

  private String goals() {
    List<List<String>> rows = new ArrayList<>();
    for (Goal goal : Goal.all()) {
      Goal.Verdict verdict = goal.verdict().apply(measured);
      String met = verdict.met() == null ? "" : verdict.met() ? "yes" : "**no**";
      rows.add(List.of(goal.what(), verdict.reached(), met));
    }
    return table(List.of("goal", "reached", "met"), rows);
  }

  /** A row for each cause, and each side against which it counts; a goal's name once. */
  private String unmet() {
    List<List<String>> rows = new ArrayList<>();
    for (Goal goal : Goal.all()) {
      Map<List<String>, List<String>> missed = new LinkedHashMap<>();
      for (Goal.Miss miss : goal.verdict().apply(measured).misses()) {
        missed.computeIfAbsent(List.of(miss.side(), miss.why()), _ -> new ArrayList<>())
            .add(miss.where());
      }
      String what = goal.what();
      for (Map.Entry<List<String>, List<String>> of : missed.entrySet()) {
        rows.add(List.of(what, name(of.getKey().getFirst()).replace(':', ' '),
            String.join(", ", of.getValue()), of.getKey().getLast()));
        what = "";
      }
    }
    return rows.isEmpty()
        ? "None of those that were measured."
        : table(List.of("goal", "against", "reached", "why"), rows);
  }

  /** A table for each first side: a row for each shape, a column for each second side. */
  private String byFirst(Section section) {
    Map<String, List<Duel.Outcome>> tables = new LinkedHashMap<>();
    for (Duel.Outcome duel : measured.duels(section)) {
      tables.computeIfAbsent(duel.first(), _ -> new ArrayList<>()).add(duel);
    }
    return tables.entrySet()
        .stream()
        .map(t -> "### " + title(t.getKey()) + "\n\n"
            + duels(t.getValue(), d -> Side.contenderOf(d.second()), Side.contenderOf(t.getKey())))
        .collect(joining("\n\n"));
  }

  private String forms() {
    return duels(measured.duels(Section.FORMS), d -> title(d.first()) + " / " + title(d.second()),
        null);
  }

  /** Shapes down, {@code column} across; the first side's time if it is the same throughout. */
  private static String duels(List<Duel.Outcome> duels, Function<Duel.Outcome, String> column,
      String first) {
    List<String> columns = duels.stream().map(column).distinct().toList();
    List<Shape> shapes = duels.stream()
        .map(Duel.Outcome::shape)
        .distinct()
        .sorted(Comparator.comparing(Shape::rows).thenComparing(Shape::cols))
        .toList();
    if (shapes.isEmpty()) {
      return "";
    }
    List<String> head = new ArrayList<>(List.of("shape"));
    if (first != null) {
      head.add(first + ", ns");
    }
    head.addAll(columns);
    List<List<String>> rows = new ArrayList<>();
    for (Shape shape : shapes) {
      List<Duel.Outcome> of = duels.stream().filter(d -> d.shape().equals(shape)).toList();
      List<String> row = new ArrayList<>(List.of(shape.rows() + " x " + shape.cols()));
      if (first != null) {
        row.add(number(Measurements.quantile(of, d -> d.result().first(), 0.5)));
      }
      for (String name : columns) {
        row.add(of.stream()
            .filter(d -> column.apply(d).equals(name))
            .map(Report::ratio)
            .findFirst()
            .orElse(""));
      }
      rows.add(row);
    }
    return table(head, rows);
  }

  private static String ratio(Duel.Outcome d) {
    return "%s (%s–%s)".formatted(number(d.result().ratio()), number(d.least()), number(d.most()));
  }

  private String limit() {
    List<List<String>> rows = new ArrayList<>();
    for (Duel.Outcome d : measured.duels("memcpy:copy:f32", "native:rms_norm:f32")) {
      long bytes = 8 * d.shape().elements();
      String place = List.of("not known", "L1", "L2", "L3", "memory").get(measured.level(d));
      String copy = measured.duels("segment-copy:copy:f32", "native:rms_norm:f32")
          .stream()
          .filter(other -> other.shape().equals(d.shape()))
          .map(Report::ratio)
          .findFirst()
          .orElse("");
      rows.add(List.of(d.rows() + " x " + d.cols(), place, number(d.result().first()),
          number(bytes / d.result().first()), ratio(d), copy));
    }
    return table(List.of("shape", "x and y fit in", "memcpy, ns", "memcpy, GB/s",
        "RMSNorm / memcpy", "RMSNorm / MemorySegment.copy"), rows);
  }

  private String call() {
    List<List<String>> rows = measured.duels(Section.CALL)
        .stream()
        .map(d -> List.of(d.rows() + " x " + d.cols(), Side.contenderOf(d.second()),
            number(d.result().first()), number(d.result().second()), number(measured.lost(d)),
            ratio(d)))
        .toList();
    return table(List.of("shape", "against", "public API, ns", "other, ns",
        "public API costs more, ns", "other / public API"), rows);
  }

  private String startUp() {
    List<List<String>> rows = new ArrayList<>();
    for (StartUpVariant variant : StartUpVariant.all()) {
      Optional<StartUpProbe.Outcome> median = measured.startUp(variant.name());
      if (median.isPresent()) {
        StartUpProbe.Outcome low = measured.quantile(variant.name(), 0.25).get();
        StartUpProbe.Outcome high = measured.quantile(variant.name(), 0.75).get();
        StartUpProbe.Outcome m = median.get();
        rows.add(
            List.of(variant.name(), number(m.main()), spread(m.first(), low.first(), high.first()),
                spread(m.next999(), low.next999(), high.next999()),
                spread(m.next9999(), low.next9999(), high.next9999()),
                spread(m.full(), low.full(), high.full()), number(m.nanos())));
      }
    }
    return table(List.of("", "main reached, ms", "first result, ms", "calls 2 to 1,000, ms",
        "calls 2 to 10,000, ms", "full speed after, ms", "then, ns per call"), rows);
  }

  private static String spread(double median, double low, double high) {
    return "%s (%s–%s)".formatted(number(median), number(low), number(high));
  }

  private String latency() {
    Map<String, List<LatencyProbe.Outcome>> sides = new LinkedHashMap<>();
    for (LatencyProbe.Outcome o : measured.of(Section.LATENCY)
        .map(Results::latencies)
        .orElse(List.of())) {
      String name = "%s, callers: %d".formatted(o.contender(), o.callers());
      sides.computeIfAbsent(name, _ -> new ArrayList<>()).add(o);
    }
    List<List<String>> rows = new ArrayList<>();
    sides.forEach((name, of) -> {
      rows.add(quantiles(name + ", the call", of, LatencyProbe.Outcome::call));
      rows.add(quantiles(name + ", the response", of, LatencyProbe.Outcome::response));
    });
    return table(
        List.of("", "p50", "p99", "p99.9", "max", "collections a run", "their time together, ms"),
        rows);
  }

  /** Of all runs together. */
  private static List<String> quantiles(String name, List<LatencyProbe.Outcome> runs,
      Function<LatencyProbe.Outcome, String> of) {
    Histogram all = new Histogram(3);
    runs.forEach(run -> all.add(LatencyProbe.decoded(of.apply(run))));
    return List.of(name, micros(all.getValueAtPercentile(50)), micros(all.getValueAtPercentile(99)),
        micros(all.getValueAtPercentile(99.9)), micros(all.getMaxValue()),
        number(Measurements.quantile(runs, LatencyProbe.Outcome::collections, 0.5)),
        number(Measurements.quantile(runs, LatencyProbe.Outcome::collectionMillis, 0.5)));
  }

  private static String micros(double nanos) {
    return number(nanos / 1000);
  }

  /** By problem; a row for each shape, a column for each side. */
  private String jmh() {
    List<Results.Absolute> all = measured.of(Section.JMH).map(Results::absolutes).orElse(List.of());
    List<String> sides = all.stream().map(Results.Absolute::side).distinct().toList();
    Map<String, List<String>> rows = new LinkedHashMap<>();
    for (Results.Absolute a : all) {
      String name = name(a.problem().toString()) + ", " + a.rows() + " x " + a.cols();
      List<String> row = rows.computeIfAbsent(name, _ -> {
        List<String> cells = new ArrayList<>(List.of(name));
        sides.forEach(_ -> cells.add(""));
        return cells;
      });
      row.set(1 + sides.indexOf(a.side()), "%s ± %s; %s B".formatted(number(a.nanos()),
          number(a.error()), String.format(Locale.ROOT, "%.0f", a.bytes())));
    }
    List<String> head = new ArrayList<>(List.of("ns a call; bytes allocated"));
    head.addAll(sides);
    return table(head, rows.values().stream().toList());
  }

  /** Where somebody else is faster, the worst first. */
  private String losses() {
    List<Duel.Outcome> losses = new ArrayList<>();
    for (Section section : List.of(Section.JAVA, Section.PEERS)) {
      measured.duels(section)
          .stream()
          .filter(d -> d.result().ratio() < 1 && !Side.contenderOf(d.second()).startsWith("native"))
          .forEach(losses::add);
    }
    losses.sort(Comparator.comparing(d -> d.result().ratio()));
    if (losses.isEmpty()) {
      return "Nowhere, in what was measured.";
    }
    String more = losses.size() > LOSSES
        ? "\n\nAnd %d more, nearer to 1.".formatted(losses.size() - LOSSES)
        : "";
    return table(List.of("what", "shape", "against", "ratio", "ns lost", "why"),
        losses.stream()
            .limit(LOSSES)
            .map(d -> List.of(title(d.first()), d.rows() + " x " + d.cols(),
                Side.contenderOf(d.second()), ratio(d), number(measured.lost(d)),
                Cause.usual(measured, d)))
            .toList())
        + more;
  }

  /** native-2:add_rms_norm:f32 is shown as add rms norm f32, two threads. */
  private static String title(String side) {
    String how = switch (Side.contenderOf(side)) {
      case "native-2" -> ", two threads";
      case "native-heap" -> ", on arrays";
      case "native-add-apart" -> ", add apart";
      default -> "";
    };
    return name(side.substring(side.indexOf(':') + 1).replace(':', ' ')) + how;
  }

  private static String name(String text) {
    return text.toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String number(double value) {
    double magnitude = Math.abs(value);
    String format = magnitude < 10 ? "%.2f" : magnitude < 100 ? "%.1f" : "%.0f";
    return String.format(Locale.ROOT, format, value);
  }

  /** Empty without rows. */
  private static String table(List<String> head, List<? extends List<String>> rows) {
    if (rows.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    text.append("| ").append(String.join(" | ", head)).append(" |\n");
    text.append("|---".repeat(head.size())).append("|");
    for (List<String> row : rows) {
      text.append("\n| ").append(String.join(" | ", row)).append(" |");
    }
    return text.toString();
  }
}
