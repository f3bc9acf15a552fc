package dev.panorm.examples;

import java.util.Locale;

/** Says in one line what is wrong with the input: the file or option, and the number at fault. */
final class StoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StoryException(String format, Object... values) {
    super(String.format(Locale.ROOT, format, values));
  }
}
