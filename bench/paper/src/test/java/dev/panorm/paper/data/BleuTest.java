package dev.panorm.paper.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class BleuTest {
  /** Doubles are computed in another order than in the comments. */
  private static final double ROUNDING = 1e-9;

  @Test
  void tokensAreThoseOfMteval13a() {
    assertArrayEquals("Hello , \" world \" ( 1,000.5 - 3 ) .".split(" "),
        Bleu.tokens("Hello, \"world\" (1,000.5-3)."));
    assertArrayEquals("a < b & c".split(" "), Bleu.tokens("a &lt; b &amp; c"));
    assertArrayEquals("don't stop-gap".split(" "), Bleu.tokens("don't stop-gap"));
    assertEquals(0, Bleu.tokens("  ").length);
  }

  @Test
  void sameTextScoresAHundred() {
    assertEquals(100, score("The cat sat on the mat.", "The cat sat on the mat."), ROUNDING);
  }

  @Test
  void nothingInCommonScoresNothing() {
    assertEquals(0, score("a b c d", "e f g h"));
    assertEquals(0, score("", "a b c d"));
  }

  @Test
  void precisionsOfFourOrders() {
    // 5 of 6 words, 3 of 5 pairs, 1 of 4 triples; of quadruples 0 of 3, smoothed to 1 / (2 * 3).
    double expected = 100 * Math.pow(5.0 / 6 * 3 / 5 * 1 / 4 * 1 / 6, 0.25);
    assertEquals(expected, score("the cat was on the mat", "the cat is on the mat"), ROUNDING);
  }

  @Test
  void matchesAreClipped() {
    // Of seven times "the", the reference has two; no longer match: smoothed by 2, 4 and 8.
    double expected = 100
        * Math.pow(2.0 / 7 * (1 / (2.0 * 6)) * (1 / (4.0 * 5)) * (1 / (8.0 * 4)), 0.25);
    assertEquals(expected, score("the the the the the the the", "the cat is on the mat now"),
        ROUNDING);
  }

  @Test
  void shortTranslationsPay() {
    assertEquals(100 * Math.exp(1 - 6 / 4.0), score("the cat is on", "the cat is on the mat"),
        ROUNDING);
  }

  @Test
  void aCorpusIsCountedAsOne() {
    // Words 6 of 8, pairs 4 of 6, triples 2 of 4, quadruples 1 of 2; as long as the references.
    double expected = 100 * Math.pow(6.0 / 8 * 4 / 6 * 2 / 4 * 1 / 2, 0.25);
    assertEquals(expected, Bleu.score(List.of("a b c d", "e f x y"), List.of("a b c d", "e f g h")),
        ROUNDING);
  }

  private static double score(String translation, String reference) {
    return Bleu.score(List.of(translation), List.of(reference));
  }
}
