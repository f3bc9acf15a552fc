package dev.panorm.bench;

import java.util.Arrays;
import java.util.Locale;

/** Who does what, as {@code native:rms_norm:f32}. */
record Side(String contender, Problem problem) {
  static Side of(String contender, Operation operation, Format format) {
    return new Side(contender, new Problem(operation, format));
  }

  /**
   * Reads what {@link #toString} writes. What is left out is taken from {@code byDefault}.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static Side of(String text, Problem byDefault) {
    String[] parts = text.split(":", -1);
    if (parts.length > 3) {
      throw new IllegalArgumentException("\"" + text + "\" is no side such as native:rms_norm:f32");
    }
    return of(parts[0], parts.length > 1 ? value(Operation.class, parts[1]) : byDefault.operation(),
        parts.length > 2 ? value(Format.class, parts[2]) : byDefault.format());
  }

  /** The contender of what {@link #toString} writes. */
  static String contenderOf(String side) {
    return side.substring(0, side.indexOf(':'));
  }

  private static <E extends Enum<E>> E value(Class<E> type, String name) {
    for (E value : type.getEnumConstants()) {
      if (value.name().equalsIgnoreCase(name)) {
        return value;
      }
    }
    throw new IllegalArgumentException("No \"" + name + "\": not one of "
        + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT));
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
