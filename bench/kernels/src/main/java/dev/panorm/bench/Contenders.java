package dev.panorm.bench;

import dev.panorm.bench.baseline.PlainLoop;
import dev.panorm.bench.baseline.ScalarLanes;
import dev.panorm.bench.baseline.VectorArrays;
import dev.panorm.bench.baseline.VectorSegments;
import java.util.List;

/** Everybody who takes part. */
final class Contenders {
  private Contenders() {}

  /** All of them. */
  public static List<Contender> all() {
    return List.of(new NativeContender("native", false), new NativeContender("native-heap", true),
        JavaContender.onArrays("plain", new PlainLoop()),
        JavaContender.onArrays("scalar", new ScalarLanes()),
        JavaContender.onArrays("vector", new VectorArrays()),
        JavaContender.onSegments("vector-segment", new VectorSegments()));
  }

  /**
   * The one of a name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Contender of(String name) {
    return all().stream()
        .filter(contender -> contender.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("No contender \"" + name + "\""));
  }
}
