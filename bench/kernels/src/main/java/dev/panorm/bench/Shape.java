package dev.panorm.bench;

/** So many rows, so wide. */
record Shape(int rows, int cols) {
  static Shape of(String text) {
    String[] numbers = text.split("x");
    return new Shape(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
  }

  long elements() {
    return (long) rows * cols;
  }

  @Override
  public String toString() {
    return rows + "x" + cols;
  }
}
