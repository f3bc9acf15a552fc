package dev.panorm.bench;

import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

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
   * @param misses all that miss it
   */
  record Verdict(String reached, Boolean met, List<Miss> misses) {
    static final Verdict UNKNOWN = new Verdict("not measured", null, List.of());

    /** Of one number. */
    static Verdict of(String reached, boolean met, String why) {
      return new Verdict(reached, met, met ? List.of() : List.of(new Miss("", reached, why)));
    }
  }

  /**
   * What misses a goal.
   *
   * @param side with which it was compared
   * @param where the shape, and what was reached there
   */
  record Miss(String side, String where, String why) {}

  private static final String RMS = "native:rms_norm:f32";
  private static final Predicate<Duel.Outcome> ONE_ROW = d -> d.rows() == 1;
  private static final Predicate<Duel.Outcome> WIDE_ROW = ONE_ROW.and(d -> d.cols() >= 384);
  private static final Predicate<Duel.Outcome> LARGE = d -> d.shape().equals(new Shape(512, 4096));
  private static final Predicate<Duel.Outcome> ALL = _ -> true;

  /** What has to reach a goal: the JVM in the middle, or, not to be slower by chance, each. */
  private static final ToDoubleFunction<Duel.Outcome> MIDDLE = d -> d.result().ratio();
  private static final ToDoubleFunction<Duel.Outcome> EACH = Duel.Outcome::least;

  static List<Goal> all() {
    List<Goal> goals = new ArrayList<>();
    goals.add(atLeast("RMSNorm f32, 1 row from 384 columns, against a plain loop: 8 times as fast",
        (m, d) -> m.fillFirstCache(d)
            ? Cause.LOOP
            : "What a call costs weighs more the shorter the row.",
        8, WIDE_ROW, RMS, "plain:rms_norm:f32"));
    goals.add(new Goal(
        "RMSNorm f32, 1 row of 64 or 128 columns, against the Vector API on arrays: at most 10 ns "
            + "slower",
        m -> difference(m, Cause.CALL, ONE_ROW.and(d -> d.cols() <= 128), "vector:rms_norm:f32",
            10)));
    goals.add(new Goal(
        "RMSNorm f32, 1 row from 384 columns, against the Vector API on arrays: never slower, in "
            + "any JVM",
        m -> smallest(m, Cause::usual, EACH, 1, WIDE_ROW, RMS, "vector:rms_norm:f32")));
    goals.add(new Goal(
        "RMSNorm f32, 1 row from 384 columns, against the Vector API on arrays: geometric mean 1.35",
        m -> geometricMean(m, WIDE_ROW, "vector:rms_norm:f32", 1.35)));
    goals.add(atLeast(
        "RMSNorm f32, 1 row from 384 columns, against the Vector API on off-heap segments: 4 times "
            + "as fast",
        Cause::usual, 4, WIDE_ROW, RMS, "vector-segment:rms_norm:f32"));
    goals.add(
        atLeast("RMSNorm f32, 512 x 4096, against the Vector API on arrays and on segments: 1.5",
            Cause::usual, 1.5, LARGE, RMS, "vector:rms_norm:f32", "vector-segment:rms_norm:f32"));
    goals.add(against("RMSNorm bf16 against the Vector API on arrays: 2", "rms_norm:bf16"));
    goals.add(against("RMSNorm f16 against the Vector API on arrays: 2", "rms_norm:f16"));
    goals.add(against("RMSNorm to int8 against the Vector API on arrays: 2", "rms_norm_int8:f32"));
    goals.add(against("LayerNorm backward against the Vector API on arrays and on segments: 2",
        "layer_norm_backward:f32"));
    goals.add(new Goal("calls 2 to 1,000 in a fresh JVM, against the Vector API: 10 times less",
        Goal::firstCalls));
    goals.add(new Goal("first result in a fresh JVM: at most 60 ms", Goal::firstResult));
    goals
        .add(new Goal("against each other library, one thread: faster at every shape, in every JVM",
            m -> peers(m, Cause::usual, EACH, 1.01, ALL))); // as fast is not faster
    goals.add(new Goal("against each other library, 1 row: 10 times as fast",
        m -> peers(m, Goal::oneRow, MIDDLE, 10, ONE_ROW)));
    goals.add(atLeast("against oneDNN, RMSNorm f32 512 x 4096: 1.8", Cause::usual, 1.8, LARGE, RMS,
        "onednn:rms_norm:f32"));
    goals.add(limit("against copying the same bytes, in L1 and L2: at most 2.0 times the time",
        (_, d) -> d.cols() <= 384
            ? "The call and its checks; and before the first element is written a sum is folded, "
                + "and a root and a division waited for."
            : "The input is read twice, with the sum to wait for in between.",
        1, 2, 2.0));
    goals.add(limit("against copying the same bytes, in L3: at most 1.5",
        Cause.always(Cause.UNKNOWN), 3, 3, 1.5));
    goals.add(limit("against copying the same bytes, beyond: at most 1.1",
        Cause.always(Cause.UNKNOWN), 4, 4, 1.1));
    goals.add(
        new Goal("RMSNorm against LayerNorm, f32, in L1 and L2: 30 % less time", m -> smallest(m,
            Cause::usual, MIDDLE, 1 / 0.7, d -> isNear(m, d), RMS, "native:layer_norm:f32")));
    goals.add(atLeast("add + RMSNorm against add, then RMSNorm, f32: at most 0.9 of the time",
        (m, d) -> m.level(d) <= 2 && m.fillFirstCache(d)
            ? "Both wait for the second cache: of five times that the batch "
                + "is read or written, one is saved."
            : Cause.usual(m, d),
        1 / 0.9, ALL, "native:add_rms_norm:f32", "native-add-apart:add_rms_norm:f32"));
    goals.add(atLeast("pRMSNorm 6.25 % against RMSNorm, f32, 1 x 1024: at most 0.8 of the time",
        Cause.always("The scaling, the root and the call stay the same."), 1 / 0.8,
        d -> d.shape().equals(new Shape(1, 1024)), "native:partial_rms_norm:f32", RMS));
    goals.add(atLeast("pRMSNorm 6.25 % against RMSNorm, f32, 512 x 4096: at most 0.7 of the time",
        Cause::usual, 1 / 0.7, LARGE, "native:partial_rms_norm:f32", RMS));
    goals.add(new Goal("pRMSNorm 6.25 % against RMSNorm, f32: never slower, in any JVM",
        m -> smallest(m, Cause::usual, EACH, 1, ALL, "native:partial_rms_norm:f32", RMS)));
    goals.add(atLeast("RMSNorm bf16 against f32, 512 x 4096: at most 0.6 of the time",
        Cause.always(Cause.CONVERSION), 1 / 0.6, LARGE, "native:rms_norm:bf16", RMS));
    goals.add(new Goal("RMSNorm bf16 against f32, in L1 and L2: at most 1.2 times the time",
        m -> smallest(m, Cause.always(Cause.CONVERSION), MIDDLE, 1 / 1.2, d -> isNear(m, d),
            "native:rms_norm:bf16", RMS)));
    goals.add(
        new Goal("RMSNorm backward against forward, f32, 512 x 4096: at most 2.5 times the time",
            m -> largest(m, Cause.always(Cause.UNKNOWN), 2.5, LARGE, "native:rms_norm_backward:f32",
                RMS)));
    goals.add(new Goal("a call of 1 x 64 against a loop in C: at most 10 ns more",
        m -> difference(m, "The way out of Java and back, and the checks of the arguments.", ALL,
            "c-loop:rms_norm:f32", 10)));
    goals.add(new Goal("bytes allocated by a call, off-heap, 1 row: 0", Goal::allocations));
    return goals;
  }

  /** Whether x and y fit in the second cache. */
  private static boolean isNear(Measurements m, Duel.Outcome d) {
    return m.level(d) == 1 || m.level(d) == 2;
  }

  /** Against another library. */
  private static String oneRow(Measurements m, Duel.Outcome d) {
    if (!d.second().startsWith("jlama")) {
      return "The wider the row, the less it counts what a call of the other costs.";
    }
    return m.fillFirstCache(d) ? Cause.LOOP : "A loop in Java, without a call.";
  }

  private static Goal atLeast(String what, Cause cause, double ratio,
      Predicate<Duel.Outcome> shapes, String first, String... seconds) {
    return new Goal(what, m -> smallest(m, cause, MIDDLE, ratio, shapes, first, seconds));
  }

  private static Goal against(String what, String problem) {
    return atLeast(what, Cause::usual, 2, ALL, "native:" + problem, "vector:" + problem,
        "vector-segment:" + problem);
  }

  /** At every shape, against every second side. */
  private static Verdict smallest(Measurements m, Cause cause, ToDoubleFunction<Duel.Outcome> of,
      double ratio, Predicate<Duel.Outcome> shapes, String first, String... seconds) {
    return smallest(m, cause, of, ratio,
        Stream.of(seconds)
            .flatMap(second -> m.duels(first, second).stream())
            .filter(shapes)
            .toList());
  }

  private static Verdict smallest(Measurements m, Cause cause, ToDoubleFunction<Duel.Outcome> of,
      double ratio, List<Duel.Outcome> all) {
    List<Miss> misses = all.stream()
        .filter(d -> !reaches(of.applyAsDouble(d), ratio))
        .map(d -> new Miss(d.second(), d.shape() + " " + range(d),
            reaches(d.result().ratio(), ratio)
                ? "One JVM of several; that in the middle reaches it."
                : cause.of(m, d)))
        .toList();
    return all.stream()
        .min(Comparator.comparingDouble(of))
        .map(d -> new Verdict(
            "least %s at %s (%s)".formatted(range(d), d.shape(), Side.contenderOf(d.second())),
            misses.isEmpty(), misses))
        .orElse(Verdict.UNKNOWN);
  }

  /** The first sides are what the second is compared with: at every shape, with each of them. */
  private static Verdict largest(Measurements m, Cause cause, double ratio,
      Predicate<Duel.Outcome> shapes, String second, String... firsts) {
    List<Duel.Outcome> all = Stream.of(firsts)
        .flatMap(first -> m.duels(first, second).stream())
        .filter(shapes)
        .toList();
    List<Miss> misses = all.stream()
        .filter(d -> !reaches(ratio, d.result().ratio()))
        .map(d -> new Miss(d.first(), d.shape() + " " + range(d), cause.of(m, d)))
        .toList();
    return all.stream()
        .max(Comparator.comparingDouble(MIDDLE))
        .map(d -> new Verdict(
            "most %s at %s (%s)".formatted(range(d), d.shape(), Side.contenderOf(d.first())),
            misses.isEmpty(), misses))
        .orElse(Verdict.UNKNOWN);
  }

  /** Against memcpy and MemorySegment.copy. */
  private static Goal limit(String what, Cause cause, int from, int to, double ratio) {
    return new Goal(what, m -> largest(m, cause, ratio, d -> m.level(d) >= from && m.level(d) <= to,
        RMS, "memcpy:copy:f32", "segment-copy:copy:f32"));
  }

  private static Verdict difference(Measurements m, String why, Predicate<Duel.Outcome> shapes,
      String second, double nanos) {
    List<Duel.Outcome> all = m.duels(RMS, second).stream().filter(shapes).toList();
    if (all.isEmpty()) {
      return Verdict.UNKNOWN;
    }
    String reached = all.stream()
        .map(
            d -> "%s ns at %s".formatted(String.format(Locale.ROOT, "%+.1f", m.lost(d)), d.shape()))
        .collect(joining(", "));
    return Verdict.of(reached, // as it is shown: to one place
        all.stream().allMatch(d -> Math.round(m.lost(d) * 10) <= nanos * 10), why);
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
    return Verdict.of(number(mean), reaches(mean, ratio), Cause.SAME_CODE);
  }

  private static Verdict firstCalls(Measurements m) {
    var ours = m.startUp("native");
    var theirs = m.startUp("vector");
    if (ours.isEmpty() || theirs.isEmpty()) {
      return Verdict.UNKNOWN;
    }
    double ratio = theirs.get().next999() / ours.get().next999();
    return Verdict.of("%s (%s ms against %s)".formatted(number(ratio), number(ours.get().next999()),
        number(theirs.get().next999())), reaches(ratio, 10), Cause.UNKNOWN);
  }

  private static Verdict firstResult(Measurements m) {
    return m.startUp("native")
        .map(s -> Verdict.of("%.0f ms, of which the JVM itself %.0f".formatted(s.first(), s.main()),
            s.first() <= 60,
            "The JVM itself takes longer than that, or nearly; then the JDK's memory segments take 20 to "
                + "30 ms to load, and the library 30 to 50 to find, unpack and load."))
        .orElse(Verdict.UNKNOWN);
  }

  private static Verdict peers(Measurements m, Cause cause, ToDoubleFunction<Duel.Outcome> of,
      double ratio, Predicate<Duel.Outcome> shapes) {
    return smallest(m, cause, of, ratio,
        m.duels(Section.PEERS)
            .stream()
            .filter(shapes.and(d -> d.first().startsWith("native:")))
            .toList());
  }

  private static Verdict allocations(Measurements m) {
    return m.of(Section.JMH)
        .flatMap(r -> r.absolutes()
            .stream()
            .filter(a -> a.side().equals("native") && a.rows() == 1)
            .max((a, b) -> Double.compare(a.bytes(), b.bytes())))
        .map(a -> Verdict.of(
            "most %.1f (%s, %d x %d)".formatted(a.bytes(), a.problem(), a.rows(), a.cols()),
            a.bytes() < 0.5, Cause.UNKNOWN))
        .orElse(Verdict.UNKNOWN);
  }

  /** As it is shown: to two places. */
  private static boolean reaches(double value, double goal) {
    return Math.round(value * 100) >= Math.round(goal * 100);
  }

  /** The ratio, in brackets its range. */
  private static String range(Duel.Outcome d) {
    return "%s (%s–%s)".formatted(number(d.result().ratio()), number(d.least()), number(d.most()));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value);
  }
}
