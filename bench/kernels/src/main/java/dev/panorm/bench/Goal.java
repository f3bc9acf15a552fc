package dev.panorm.bench;

import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A speed to reach.
 *
 * @param what in words
 * @param why it is missed where it is, if that is known; else empty
 * @param verdict what was reached, of measurements
 */
record Goal(String what, String why, Function<Measurements, Verdict> verdict) {
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
  private static final Predicate<Duel.Outcome> ONE_ROW = d -> d.rows() == 1;
  private static final Predicate<Duel.Outcome> WIDE_ROW = ONE_ROW.and(d -> d.cols() >= 384);
  private static final Predicate<Duel.Outcome> LARGE = d -> d.shape().equals(new Shape(512, 4096));
  private static final Predicate<Duel.Outcome> ALL = _ -> true;

  private static final String MEMORY = "Both wait for the last cache, or for memory.";
  private static final String SAME_CODE = "The Vector API is compiled to much the same instructions; "
      + "what is left is the order of loads and stores.";
  private static final String CONVERSION = "In the caches, bf16 is bound by the conversion of its "
      + "elements.";
  private static final String NARROW = "Half the time of one row of 128 columns is the call and its "
      + "checks; a loop in Java is compiled into its caller.";

  static List<Goal> all() {
    List<Goal> goals = new ArrayList<>();
    goals.add(atLeast("RMSNorm f32, 1 row from 384 columns, against a plain loop: 8 times as fast",
        "Where x and y outgrow the first cache, the library waits for the second.", 8, WIDE_ROW,
        RMS, "plain:rms_norm:f32"));
    goals.add(new Goal(
        "RMSNorm f32, 1 row of 64 or 128 columns, against the Vector API on arrays: at most 10 ns "
            + "slower",
        NARROW, m -> difference(m, ONE_ROW.and(d -> d.cols() <= 128), "vector:rms_norm:f32", 10)));
    goals.add(atLeast(
        "RMSNorm f32, 1 row from 384 columns, against the Vector API on arrays: never slower",
        SAME_CODE, 1, WIDE_ROW, RMS, "vector:rms_norm:f32"));
    goals.add(new Goal(
        "RMSNorm f32, 1 row from 384 columns, against the Vector API on arrays: geometric mean 1.35",
        SAME_CODE, m -> geometricMean(m, WIDE_ROW, "vector:rms_norm:f32", 1.35)));
    goals.add(atLeast(
        "RMSNorm f32, 1 row from 384 columns, against the Vector API on off-heap segments: 4 times "
            + "as fast",
        "C2 compiles it to code as good as the library's, which has to be called.", 4, WIDE_ROW,
        RMS, "vector-segment:rms_norm:f32"));
    goals.add(
        atLeast("RMSNorm f32, 512 x 4096, against the Vector API on arrays and on segments: 1.5",
            MEMORY, 1.5, LARGE, RMS, "vector:rms_norm:f32", "vector-segment:rms_norm:f32"));
    goals.add(
        against("RMSNorm bf16 against the Vector API on arrays: 2", CONVERSION, "rms_norm:bf16"));
    goals.add(against("RMSNorm f16 against the Vector API on arrays: 2",
        "Of wide rows C2 converts the elements by the same instructions, and large batches wait for "
            + "the last cache, or for memory.",
        "rms_norm:f16"));
    goals.add(against("RMSNorm to int8 against the Vector API on arrays: 2", NARROW,
        "rms_norm_int8:f32"));
    goals.add(against("LayerNorm backward against the Vector API on arrays: 2", NARROW,
        "layer_norm_backward:f32"));
    goals.add(new Goal("calls 2 to 1,000 in a fresh JVM, against the Vector API: 10 times less", "",
        Goal::firstCalls));
    goals.add(new Goal("first result in a fresh JVM: at most 60 ms",
        "The first native call of a JVM: the JDK loads and compiles what linking it takes.",
        Goal::firstResult));
    goals.add(new Goal("against each other library, one thread: faster at every shape", MEMORY,
        m -> peers(m, ALL, 1.01))); // as fast is not faster
    goals.add(new Goal("against each other library, 1 row: 10 times as fast",
        "Wide rows run at the speed of the caches on both sides; only what a call costs differs.",
        m -> peers(m, ONE_ROW, 10)));
    goals.add(atLeast("against oneDNN, RMSNorm f32 512 x 4096: 1.8", MEMORY, 1.8, LARGE, RMS,
        "onednn:rms_norm:f32"));
    goals.add(limit("against copying the same bytes, in L1 and L2: at most 2.0 times the time",
        "Of short rows, the call into native code takes longer than the copy; wider ones are read "
            + "twice, and wait for the sum in between.",
        1, 2, 2.0));
    goals.add(limit("against copying the same bytes, in L3: at most 1.5", "", 3, 3, 1.5));
    goals.add(limit("against copying the same bytes, beyond: at most 1.1", "", 4, 4, 1.1));
    goals.add(new Goal("RMSNorm against LayerNorm, f32, in L1 and L2: 30 % less time",
        "In L2 both wait for it.",
        m -> smallest(m, d -> m.level(d) <= 2, 1 / 0.7, RMS, "native:layer_norm:f32")));
    goals.add(atLeast("add + RMSNorm against add, then RMSNorm, f32: at most 0.9 of the time",
        "In L2 both wait for it: of five times that the batch is read or written, one is saved.",
        1 / 0.9, ALL, "native:add_rms_norm:f32", "native-add-apart:add_rms_norm:f32"));
    goals.add(atLeast("pRMSNorm 6.25 % against RMSNorm, f32, 1 x 1024: at most 0.8 of the time", "",
        1 / 0.8, d -> d.shape().equals(new Shape(1, 1024)), "native:partial_rms_norm:f32", RMS));
    goals.add(atLeast("pRMSNorm 6.25 % against RMSNorm, f32, 512 x 4096: at most 0.7 of the time",
        MEMORY, 1 / 0.7, LARGE, "native:partial_rms_norm:f32", RMS));
    goals.add(atLeast("pRMSNorm 6.25 % against RMSNorm, f32: never slower", MEMORY, 1, ALL,
        "native:partial_rms_norm:f32", RMS));
    goals.add(atLeast("RMSNorm bf16 against f32, 512 x 4096: at most 0.6 of the time", "", 1 / 0.6,
        LARGE, "native:rms_norm:bf16", RMS));
    goals.add(new Goal("RMSNorm bf16 against f32, in L1 and L2: at most 1.2 times the time",
        CONVERSION, m -> smallest(m, d -> m.level(d) <= 2, 1 / 1.2, "native:rms_norm:bf16", RMS)));
    goals.add(
        new Goal("RMSNorm backward against forward, f32, 512 x 4096: at most 2.5 times the time",
            "", m -> largest(m, LARGE, 2.5, "native:rms_norm_backward:f32", RMS)));
    goals.add(new Goal("a call of 1 x 64 against a loop in C: at most 10 ns more",
        "The way out of Java and back, and the checks of the arguments.",
        m -> difference(m, ALL, "c-loop:rms_norm:f32", 10)));
    goals.add(new Goal("bytes allocated by a call, off-heap, 1 row: 0", "", Goal::allocations));
    return goals;
  }

  private static Goal atLeast(String what, String why, double ratio, Predicate<Duel.Outcome> shapes,
      String first, String... seconds) {
    return new Goal(what, why, m -> smallest(m, shapes, ratio, first, seconds));
  }

  private static Goal against(String what, String why, String problem) {
    return atLeast(what, why, 2, ALL, "native:" + problem, "vector:" + problem);
  }

  /** At every shape, against every second side. */
  private static Verdict smallest(Measurements m, Predicate<Duel.Outcome> shapes, double ratio,
      String first, String... seconds) {
    List<Duel.Outcome> all = new ArrayList<>();
    for (String second : seconds) {
      m.duels(first, second).stream().filter(shapes).forEach(all::add);
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

  /** The first sides are what the second is compared with: at every shape, with each of them. */
  private static Verdict largest(Measurements m, Predicate<Duel.Outcome> shapes, double ratio,
      String second, String... firsts) {
    return Stream.of(firsts)
        .flatMap(first -> m.duels(first, second).stream())
        .filter(shapes)
        .max((a, b) -> Double.compare(a.result().ratio(), b.result().ratio()))
        .map(d -> new Verdict(
            "most %s at %s (%s)".formatted(number(d.result().ratio()), d.shape(), who(d.first())),
            reaches(ratio, d.result().ratio())))
        .orElse(Verdict.UNKNOWN);
  }

  /** Against the better of memcpy and MemorySegment.copy. */
  private static Goal limit(String what, String why, int from, int to, double ratio) {
    return new Goal(what, why, m -> largest(m, d -> {
      int level = m.level(d);
      return level >= from && level <= to;
    }, ratio, RMS, "memcpy:copy:f32", "segment-copy:copy:f32"));
  }

  private static Verdict difference(Measurements m, Predicate<Duel.Outcome> shapes, String second,
      double nanos) {
    List<Duel.Outcome> all = m.duels(RMS, second).stream().filter(shapes).toList();
    if (all.isEmpty()) {
      return Verdict.UNKNOWN;
    }
    String reached = all.stream()
        .map(d -> "%s ns at %s"
            .formatted(String.format(Locale.ROOT, "%+.1f", -d.result().difference()), d.shape()))
        .collect(joining(", "));
    return new Verdict(reached, // as it is shown: to one place
        all.stream().allMatch(d -> Math.round(-d.result().difference() * 10) <= nanos * 10));
  }

  private static Verdict geometricMean(Measurements m, Predicate<Duel.Outcome> shapes,
      String second, double ratio) {
    double[] logs = m.duels(RMS, second)
        .stream()
        .filter(shapes)
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

  private static Verdict peers(Measurements m, Predicate<Duel.Outcome> shapes, double ratio) {
    return smallest(m.duels(Section.PEERS)
        .stream()
        .filter(d -> d.first().startsWith("native:") && shapes.test(d))
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
