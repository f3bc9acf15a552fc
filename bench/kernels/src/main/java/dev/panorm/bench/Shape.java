package dev.panorm.bench;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** So many rows, so wide. */
record Shape(int rows, int cols) {
  /** What an array, and all copies that it takes to check a result, can hold. */
  static final int MAX_ELEMENTS = 1 << 27;

  private static final Pattern TEXT = Pattern.compile("(\\d{1,9})x(\\d{1,9})");

  /**
   * Reads what {@link #toString} writes.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static Shape of(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("\"" + text + "\" is no shape such as 16x1024");
    }
    return new Shape(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  long elements() {
    return (long) rows * cols;
  }

  @Override
  public String toString() {
    return rows + "x" + cols;
  }
}
