package dev.panorm.bench;

import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A speed to reach.
 *
 * @param what in words
 * @param verdict what was reached, of measurements
 */
record Goal(String what, Function<Measurements, Verdict> verdict) {
  /**
   * What was reached.
   *
   * @param reached in words
   * @param met null if it was not measured
   */
  record Verdict(String reached, Boolean met) {
    static final Verdict UNKNOWN = new Verdict("not measured", null);
  }

  private static final String RMS = "native:rms_norm:f32";
  private static final Predicate<Shape> ONE_ROW = s -> s.rows() == 1;
  private static final Predicate<Shape> WIDE_ROW = ONE_ROW.and(s -> s.cols() >= 384);
  private static final Predicate<Shape> LARGE = s -> s.equals(new Shape(512, 4096));
  private static final Predicate<Shape> ALL = _ -> true;

  static List<Goal> all() {
    List<Goal> goals = new ArrayList<>();
    goals.add(atLeast("RMSNorm f32, 1 row from 384 columns, against a plain loop: 8 times as fast",
        8, WIDE_ROW, RMS, "plain:rms_norm:f32"));
    goals.add(new Goal(
        "the same against the Vector API on arrays, 64 and 128 columns: at most 10 ns slower",
        m -> difference(m, ONE_ROW.and(s -> s.cols() <= 128), "vector:rms_norm:f32", 10)));
    goals.add(
        atLeast("... from 384 columns: never slower", 1, WIDE_ROW, RMS, "vector:rms_norm:f32"));
    goals.add(new Goal("... from 384 columns: geometric mean 1.35",
        m -> geometricMean(m, WIDE_ROW, "vector:rms_norm:f32", 1.35)));
    goals.add(atLeast("... against the Vector API on off-heap segments: 4 times as fast", 4,
        WIDE_ROW, RMS, "vector-segment:rms_norm:f32"));
    goals.add(atLeast("RMSNorm f32, 512 x 4096, against the better Vector API version: 1.5", 1.5,
        LARGE, RMS, "vector:rms_norm:f32", "vector-segment:rms_norm:f32"));
    goals.add(against("RMSNorm bf16 against the better Vector API version: 2", 2, "rms_norm:bf16"));
    goals.add(against("RMSNorm f16, the same: 2", 2, "rms_norm:f16"));
    goals.add(against("RMSNorm to int8, the same: 2", 2, "rms_norm_int8:f32"));
    goals.add(against("LayerNorm backward, the same: 2", 2, "layer_norm_backward:f32"));
    goals.add(new Goal("calls 2 to 1,000 in a fresh JVM, against the Vector API: 10 times less",
        Goal::firstCalls));
    goals.add(new Goal("first result in a fresh JVM: at most 60 ms", Goal::firstResult));
    goals.add(new Goal("against each other library, one thread: faster at every shape",
        m -> peers(m, ALL, 1.01))); // as fast is not faster
    goals.add(new Goal("... 1 row: 10 times as fast", m -> peers(m, ONE_ROW, 10)));
    goals.add(
        atLeast("against oneDNN, RMSNorm 512 x 4096: 1.8", 1.8, LARGE, RMS, "onednn:rms_norm:f32"));
    goals.add(limit("against memcpy of the same bytes, in L1 and L2: at most 2.0 times the time", 1,
        2, 2.0));
    goals.add(limit("... in L3: at most 1.5", 3, 3, 1.5));
    goals.add(limit("... beyond: at most 1.1", 4, 4, 1.1));
    goals.add(new Goal("RMSNorm against LayerNorm, in L1 and L2: 30 % less time", m -> smallest(m,
        s -> m.level(8 * s.elements()) <= 2, 1 / 0.7, RMS, "native:layer_norm:f32")));
    goals.add(atLeast("add + RMSNorm against add, then RMSNorm: at most 0.9 of the time", 1 / 0.9,
        ALL, "native:add_rms_norm:f32", "native-add-apart:add_rms_norm:f32"));
    goals.add(atLeast("pRMSNorm 6.25 % against RMSNorm, 1 x 1024: at most 0.8 of the time", 1 / 0.8,
        s -> s.equals(new Shape(1, 1024)), "native:partial_rms_norm:f32", RMS));
    goals.add(
        atLeast("... 512 x 4096: at most 0.7", 1 / 0.7, LARGE, "native:partial_rms_norm:f32", RMS));
    goals.add(atLeast("... never slower", 1, ALL, "native:partial_rms_norm:f32", RMS));
    goals.add(atLeast("bf16 against f32, 512 x 4096: at most 0.6 of the time", 1 / 0.6, LARGE,
        "native:rms_norm:bf16", RMS));
    goals.add(new Goal("... in L1 and L2: at most 1.2", m -> smallest(m,
        s -> m.level(8 * s.elements()) <= 2, 1 / 1.2, "native:rms_norm:bf16", RMS)));
    goals.add(new Goal("RMSNorm backward against forward, 512 x 4096: at most 2.5 times the time",
        m -> largest(m, LARGE, 2.5, RMS, "native:rms_norm_backward:f32")));
    goals.add(new Goal("a call of 1 x 64 against a loop in C: at most 10 ns more",
        m -> difference(m, ALL, "c-loop:rms_norm:f32", 10)));
    goals.add(new Goal("bytes allocated by a call, off-heap, 1 row: 0", Goal::allocations));
    return goals;
  }

  private static Goal atLeast(String what, double ratio, Predicate<Shape> shapes, String first,
      String... seconds) {
    return new Goal(what, m -> smallest(m, shapes, ratio, first, seconds));
  }

  private static Goal against(String what, double ratio, String problem) {
    return atLeast(what, ratio, ALL, "native:" + problem, "vector:" + problem,
        "vector-segment:" + problem);
  }

  /** At every shape, against every second side. */
  private static Verdict smallest(Measurements m, Predicate<Shape> shapes, double ratio,
      String first, String... seconds) {
    List<Duel.Outcome> all = new ArrayList<>();
    for (String second : seconds) {
      m.duels(first, second).stream().filter(d -> shapes.test(d.shape())).forEach(all::add);
    }
    return smallest(all, ratio);
  }

  private static Verdict smallest(List<Duel.Outcome> all, double ratio) {
    return all.stream()
        .min((a, b) -> Double.compare(a.result().ratio(), b.result().ratio()))
        .map(d -> new Verdict(
            "least %s at %s (%s)".formatted(number(d.result().ratio()), d.shape(), who(d.second())),
            reaches(d.result().ratio(), ratio)))
        .orElse(Verdict.UNKNOWN);
  }

  private static Verdict largest(Measurements m, Predicate<Shape> shapes, double ratio,
      String first, String second) {
    return m.duels(first, second)
        .stream()
        .filter(d -> shapes.test(d.shape()))
        .max((a, b) -> Double.compare(a.result().ratio(), b.result().ratio()))
        .map(d -> new Verdict("most %s at %s".formatted(number(d.result().ratio()), d.shape()),
            reaches(ratio, d.result().ratio())))
        .orElse(Verdict.UNKNOWN);
  }

  private static Goal limit(String what, int from, int to, double ratio) {
    return new Goal(what, m -> largest(m, s -> {
      int level = m.level(8 * s.elements());
      return level >= from && level <= to;
    }, ratio, "memcpy:copy:f32", RMS));
  }

  private static Verdict difference(Measurements m, Predicate<Shape> shapes, String second,
      double nanos) {
    List<Duel.Outcome> all = m.duels(RMS, second)
        .stream()
        .filter(d -> shapes.test(d.shape()))
        .toList();
    if (all.isEmpty()) {
      return Verdict.UNKNOWN;
    }
    String reached = all.stream()
        .map(d -> "%s ns at %s"
            .formatted(String.format(Locale.ROOT, "%+.0f", -d.result().difference()), d.shape()))
        .collect(joining(", "));
    return new Verdict(reached, all.stream().allMatch(d -> -d.result().difference() <= nanos));
  }

  private static Verdict geometricMean(Measurements m, Predicate<Shape> shapes, String second,
      double ratio) {
    double[] logs = m.duels(RMS, second)
        .stream()
        .filter(d -> shapes.test(d.shape()))
        .mapToDouble(d -> Math.log(d.result().ratio()))
        .toArray();
    if (logs.length == 0) {
      return Verdict.UNKNOWN;
    }
    double sum = 0;
    for (double log : logs) {
      sum += log;
    }
    double mean = Math.exp(sum / logs.length);
    return new Verdict(number(mean), reaches(mean, ratio));
  }

  private static Verdict firstCalls(Measurements m) {
    var ours = m.startUp("native");
    var theirs = m.startUp("vector");
    if (ours.isEmpty() || theirs.isEmpty()) {
      return Verdict.UNKNOWN;
    }
    double ratio = theirs.get().next999() / ours.get().next999();
    return new Verdict("%s (%s ms against %s)".formatted(number(ratio),
        number(ours.get().next999()), number(theirs.get().next999())), reaches(ratio, 10));
  }

  private static Verdict firstResult(Measurements m) {
    return m.startUp("native")
        .map(
            s -> new Verdict("%.0f ms, of which the JVM itself %.0f".formatted(s.first(), s.main()),
                s.first() <= 60))
        .orElse(Verdict.UNKNOWN);
  }

  private static Verdict peers(Measurements m, Predicate<Shape> shapes, double ratio) {
    return smallest(m.duels(Section.PEERS)
        .stream()
        .filter(d -> d.first().startsWith("native:") && shapes.test(d.shape()))
        .toList(), ratio);
  }

  private static Verdict allocations(Measurements m) {
    return m.of(Section.JMH)
        .flatMap(r -> r.absolutes()
            .stream()
            .filter(a -> a.side().equals("native") && a.rows() == 1)
            .max((a, b) -> Double.compare(a.bytes(), b.bytes())))
        .map(a -> new Verdict(
            "most %.1f (%s, %d x %d)".formatted(a.bytes(), a.problem(), a.rows(), a.cols()),
            a.bytes() < 0.5))
        .orElse(Verdict.UNKNOWN);
  }

  /** As it is shown: to two places. */
  private static boolean reaches(double value, double goal) {
    return Math.round(value * 100) >= Math.round(goal * 100);
  }

  private static String who(String side) {
    return side.substring(0, side.indexOf(':'));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value);
  }
}
