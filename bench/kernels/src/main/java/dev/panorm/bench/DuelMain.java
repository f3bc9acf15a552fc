package dev.panorm.bench;

import java.util.Arrays;
import java.util.List;

/** Compares two sides from the command line; prints a line for each shape. */
public final class DuelMain {
  private DuelMain() {}

  /** Arguments: the two sides, rows, columns, pairs, warm-up in milliseconds. */
  public static void main(String[] args) {
    new Duel(Duel.Side.of(args[0]), Duel.Side.of(args[1]), numbers(args[2]), numbers(args[3]))
        .run(Integer.parseInt(args[4]), Long.parseLong(args[5]) * 1_000_000);
  }

  private static List<Integer> numbers(String text) {
    return Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
  }
}
