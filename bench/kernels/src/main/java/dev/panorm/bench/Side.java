package dev.panorm.bench;

import java.util.Locale;

/** Who does what, as {@code native:rms_norm:f32}. */
record Side(String contender, Problem problem) {
  static Side of(String contender, Operation operation, Format format) {
    return new Side(contender, new Problem(operation, format));
  }

  /** Reads what {@link #toString} writes. What is left out is taken from {@code byDefault}. */
  static Side of(String text, Problem byDefault) {
    String[] parts = text.split(":");
    return of(parts[0],
        parts.length > 1
            ? Operation.valueOf(parts[1].toUpperCase(Locale.ROOT))
            : byDefault.operation(),
        parts.length > 2 ? Format.valueOf(parts[2].toUpperCase(Locale.ROOT)) : byDefault.format());
  }

  /**
   * Refuses what cannot be.
   *
   * @throws IllegalArgumentException if there is no such contender, or it does not do this
   */
  Contender who() {
    Contender who = Contenders.of(contender);
    if (!who.solves(problem)) {
      throw new IllegalArgumentException(contender + " does not do " + problem);
    }
    return who;
  }

  @Override
  public String toString() {
    return contender + ":" + problem.toString().replace(' ', ':');
  }
}
