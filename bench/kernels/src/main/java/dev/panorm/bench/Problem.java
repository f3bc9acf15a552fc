package dev.panorm.bench;

import java.util.Locale;

/** An operation on elements of a format. */
public record Problem(Operation operation, Format format) {
  @Override
  public String toString() {
    return operation.name().toLowerCase(Locale.ROOT) + " " + format.name().toLowerCase(Locale.ROOT);
  }
}
