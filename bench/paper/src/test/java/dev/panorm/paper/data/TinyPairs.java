package dev.panorm.paper.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A language of eight words and its translation: each word by another, in reverse order. */
public final class TinyPairs {
  private static final List<String> WORDS = List.of("red", "green", "blue", "grey", "pink", "black",
      "white", "brown");
  private static final List<String> TRANSLATIONS = List.of("rot", "grün", "blau", "grau", "rosa",
      "schwarz", "weiß", "braun");

  private TinyPairs() {}

  /** Sentences of two to four words, the same each time, on pages of ten. */
  public static List<Pair> pairs(int count) {
    Random random = new Random(1);
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> source = new ArrayList<>();
      List<String> target = new ArrayList<>();
      for (int n = random.nextInt(2, 5); n > 0; n--) {
        int word = random.nextInt(WORDS.size());
        source.add(WORDS.get(word));
        target.addFirst(TRANSLATIONS.get(word));
      }
      pairs.add(new Pair(String.join(" ", source), String.join(" ", target), "page " + i / 10));
    }
    return pairs;
  }

  /** Such pairs as training data, in batches of 32. */
  public static TranslationData data() {
    return new TranslationData(pairs(1500), 330, 12, 32);
  }
}
