package dev.panorm.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** All that has been measured, to look up. */
record Measurements(List<Results> results) {
  Optional<Results> of(Section section) {
    return results.stream().filter(r -> r.section() == section).findFirst();
  }

  List<Duel.Outcome> duels(Section section) {
    return of(section).map(Results::duels).orElse(List.of());
  }

  /** All shapes of a duel, those of fewer elements first. */
  List<Duel.Outcome> duels(String first, String second) {
    return results.stream()
        .flatMap(r -> r.duels().stream())
        .filter(d -> d.first().equals(first) && d.second().equals(second))
        .sorted(Comparator.comparing(d -> d.shape().elements()))
        .toList();
  }

  /** Medians over the forks of a start-up variant. */
  Optional<StartUpProbe.Outcome> startUp(String variant) {
    return quantile(variant, 0.5);
  }

  Optional<StartUpProbe.Outcome> quantile(String variant, double share) {
    List<StartUpProbe.Outcome> all = of(Section.START_UP).stream()
        .flatMap(r -> r.startUps().stream())
        .filter(s -> s.variant().equals(variant))
        .map(Results.StartUp::outcome)
        .toList();
    return all.isEmpty()
        ? Optional.empty()
        : Optional.of(new StartUpProbe.Outcome(quantile(all, StartUpProbe.Outcome::main, share),
            quantile(all, StartUpProbe.Outcome::first, share),
            quantile(all, StartUpProbe.Outcome::next999, share),
            quantile(all, StartUpProbe.Outcome::next9999, share),
            quantile(all, StartUpProbe.Outcome::full, share),
            quantile(all, StartUpProbe.Outcome::nanos, share)));
  }

  static <T> double quantile(List<T> all, ToDoubleFunction<T> of, double share) {
    return Pairing.quantile(all.stream().mapToDouble(of).toArray(), share);
  }

  /**
   * The ns by which the first side is slower: what the ratio makes of the median of the times that
   * this side has at this shape in all duels on the machine, since one may have run at half the
   * clock.
   */
  double lost(Duel.Outcome duel) {
    Environment machine = environment(duel);
    double[] all = results.stream()
        .filter(r -> r.environment().equals(machine))
        .flatMap(r -> r.duels().stream())
        .filter(d -> d.shape().equals(duel.shape()))
        .mapMultiToDouble((d, times) -> {
          if (d.first().equals(duel.first())) {
            times.accept(d.result().first());
          }
          if (d.second().equals(duel.first())) {
            times.accept(d.result().second());
          }
        })
        .toArray();
    return (1 - duel.result().ratio()) * Pairing.quantile(all, 0.5);
  }

  /** The level of cache, of the machine that measured it, that x and y of f32 fit in. */
  int level(Duel.Outcome duel) {
    return environment(duel).level(8 * duel.shape().elements());
  }

  /** Whether x, y, gain and residual of f32 leave no tenth of that machine's first cache. */
  boolean fillFirstCache(Duel.Outcome duel) {
    boolean adds = duel.problem().operation() == Operation.ADD_RMS_NORM;
    long bytes = (adds ? 12 : 8) * duel.shape().elements() + 4L * duel.cols();
    return bytes > environment(duel).l1() / 10 * 9;
  }

  private Environment environment(Duel.Outcome duel) {
    return results.stream()
        .filter(r -> r.duels().contains(duel))
        .findFirst()
        .orElseThrow()
        .environment();
  }
}
