package dev.panorm.paper.run;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.nn.NormKind;
import dev.panorm.paper.nn.NormSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What the logs of one experiment say, in the form of the paper's tables. */
final class Summary {
  /** Share of a run's turns that are left out of its times, at its beginning: Java warms up. */
  private static final double WARM_UP = 0.2;

  private static final String NONE = "–";

  private final List<RunLog> runs = new ArrayList<>();
  private final RunLog timing;

  /** Reads the logs in a folder. */
  Summary(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      files.filter(f -> f.getFileName().toString().matches("seed-.*\\.jsonl"))
          .sorted()
          .map(RunLog::read)
          .forEach(runs::add);
    } catch (IOException e) {
      throw new BadInput("%s: no results there", folder);
    }
    if (runs.isEmpty()) {
      throw new BadInput("%s: no results there", folder);
    }
    Entry.Header first = header(runs.getFirst());
    for (RunLog run : runs) {
      Entry.Header other = header(run);
      if (other.steps() != first.steps() || !other.norms().equals(first.norms())
          || !other.settings().equals(first.settings())) {
        throw new BadInput(
            "%s: seeds %d and %d differ in steps, norms or settings; move one elsewhere", folder,
            first.seed(), other.seed());
      }
    }
    Path file = folder.resolve("timing.jsonl");
    timing = Files.exists(file) ? RunLog.read(file) : null;
  }

  private static Entry.Header header(RunLog run) {
    return run.entries("run", Entry.Header.class).getFirst();
  }

  /** What was run, in a few sentences. */
  String conditions() {
    Entry.Header first = header(runs.getFirst());
    List<Long> seeds = runs.stream().map(run -> header(run).seed()).toList();
    String settings = String.join(", ",
        first.settings()
            .entrySet()
            .stream()
            .map(entry -> entry.getKey() + " " + entry.getValue())
            .toList());
    String turns = "Times are of %d turns".formatted(turns(runs));
    if (timing != null) {
      turns += "; op by op, of %d with seed %d".formatted(turns(List.of(timing)),
          header(timing).seed());
    }
    return "Seeds %s; %d steps of each model; %s. %s. %s; %s; backend %s; %s.".formatted(seeds,
        first.steps(), settings, turns, first.machine(), first.java(), first.backend(),
        first.started());
  }

  private static int turns(List<RunLog> logs) {
    return logs.stream().mapToInt(log -> warm(log).size()).sum();
  }

  /** The norms that were trained. */
  List<String> norms() {
    return header(runs.getFirst()).norms();
  }

  /** A Markdown table: quality, time per 1,000 steps, and the same with norms op by op. */
  String table() {
    Set<String> scores = new TreeSet<>();
    runs.forEach(run -> run.entries("quality", Entry.Quality.class)
        .forEach(quality -> scores.addAll(quality.scores().keySet())));
    List<String> columns = new ArrayList<>(List.of("norm", "development loss"));
    columns.addAll(scores);
    List<String> times = List.of("s per 1,000 steps", "less than LayerNorm", "norms' share");
    columns.addAll(times);
    if (timing != null) {
      times.forEach(column -> columns.add("op by op: " + column));
      columns.add("one kernel: less than op by op");
    }
    StringBuilder table = new StringBuilder();
    line(table, columns);
    line(table, columns.stream().map(column -> "---").toList());
    for (String norm : norms()) {
      List<String> cells = new ArrayList<>(List.of(norm, spread(3, lastLosses(norm))));
      for (String score : scores) {
        cells.add(spread(score.startsWith("BLEU") ? 1 : 3, scores(norm, score)));
      }
      cells.addAll(times(runs, norm, NormKind.LAYER_NORM.label()));
      if (timing != null) {
        cells.addAll(times(List.of(timing), opByOp(norm), opByOp(NormKind.LAYER_NORM.label())));
        cells.add(times(List.of(timing), norm, opByOp(norm)).get(1));
      }
      line(table, cells);
    }
    return table.toString();
  }

  private static String opByOp(String label) {
    return Stream.of(NormKind.values())
        .filter(kind -> kind.label().equals(label))
        .map(kind -> new NormSpec(kind, NormSpec.Style.OP_BY_OP).label())
        .findFirst()
        .orElseThrow();
  }

  private static void line(StringBuilder table, List<String> cells) {
    table.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  private double[] lastLosses(String norm) {
    return runs.stream()
        .filter(run -> !run.entries("development", Entry.Development.class).isEmpty())
        .mapToDouble(run -> run.entries("development", Entry.Development.class)
            .getLast()
            .losses()
            .get(norms().indexOf(norm)))
        .toArray();
  }

  private double[] scores(String norm, String score) {
    return runs.stream()
        .flatMap(run -> run.entries("quality", Entry.Quality.class).stream())
        .filter(q -> q.norm().equals(norm) && q.scores().containsKey(score))
        .mapToDouble(q -> q.scores().get(score))
        .toArray();
  }

  /** Seconds per 1,000 steps, what is saved against a reference, and the norms' share. */
  private static List<String> times(List<RunLog> logs, String norm, String reference) {
    List<Double> medians = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    List<Double> shares = new ArrayList<>();
    for (RunLog log : logs) {
      int own = header(log).norms().indexOf(norm);
      int other = header(log).norms().indexOf(reference);
      if (own < 0) {
        continue;
      }
      List<Double> times = new ArrayList<>();
      for (Entry.Turn turn : warm(log)) {
        times.add(1000 * turn.seconds().get(own) / turn.steps());
        shares.add(turn.normShares().get(own));
        if (other >= 0 && other != own) {
          ratios.add(turn.seconds().get(own) / turn.seconds().get(other));
        }
      }
      medians.add(median(times));
    }
    if (shares.isEmpty()) {
      return List.of(NONE, NONE, NONE);
    }
    return List.of(spread(1, medians.stream().mapToDouble(Double::doubleValue).toArray()),
        ratios.isEmpty() ? NONE : "%.1f %%".formatted(100 * (1 - median(ratios))),
        "%.1f %%".formatted(100 * median(shares)));
  }

  private static List<Entry.Turn> warm(RunLog log) {
    List<Entry.Turn> turns = log.entries("turn", Entry.Turn.class);
    return turns.subList((int) (WARM_UP * turns.size()), turns.size());
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /** Mean and, of several values, their standard deviation. */
  private static String spread(int digits, double[] values) {
    if (values.length == 0) {
      return NONE;
    }
    double mean = Arrays.stream(values).average().orElseThrow();
    String text = ("%." + digits + "f").formatted(mean);
    if (values.length == 1) {
      return text;
    }
    double square = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    return text + (" ± %." + digits + "f").formatted(Math.sqrt(square / (values.length - 1)));
  }

  /** The loss on the development part of one norm, averaged over the runs, by steps done. */
  Map<Integer, Double> curve(String norm) {
    Map<Integer, List<Double>> losses = new TreeMap<>();
    int index = norms().indexOf(norm);
    for (RunLog run : runs) {
      run.entries("development", Entry.Development.class)
          .forEach(d -> losses.computeIfAbsent(d.step(), s -> new ArrayList<>())
              .add(d.losses().get(index)));
    }
    Map<Integer, Double> curve = new TreeMap<>();
    losses.forEach((step, values) -> curve.put(step,
        values.stream().mapToDouble(Double::doubleValue).average().orElseThrow()));
    return curve;
  }

  /** Median processor seconds of a step, over the turns of all runs. */
  double secondsPerStep(String norm) {
    List<Double> times = new ArrayList<>();
    int index = norms().indexOf(norm);
    for (RunLog log : runs) {
      warm(log).forEach(turn -> times.add(turn.seconds().get(index) / turn.steps()));
    }
    return median(times);
  }
}
