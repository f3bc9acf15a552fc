package dev.panorm.paper.data;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * BLEU of a corpus against one reference a sentence, as SacreBLEU computes it by default (Post,
 * 2018): tokens by mteval-v13a's rules, 1- to 4-grams, exponential smoothing of orders without a
 * match, 0 to 100.
 */
public final class Bleu {
  private static final int ORDERS = 4;
  private static final Pattern SYMBOLS = Pattern
      .compile("([\\{-\\~\\[-\\` -\\&\\(-\\+\\:-\\@\\/])");
  private static final Pattern AFTER_NO_DIGIT = Pattern.compile("([^0-9])([\\.,])");
  private static final Pattern BEFORE_NO_DIGIT = Pattern.compile("([\\.,])([^0-9])");
  private static final Pattern DIGIT_DASH = Pattern.compile("([0-9])(-)");

  private Bleu() {}

  /** The score of translations; both lists in the same order. */
  public static double score(List<String> translations, List<String> references) {
    long[] matches = new long[ORDERS];
    long[] totals = new long[ORDERS];
    long length = 0;
    long referenceLength = 0;
    for (int i = 0; i < translations.size(); i++) {
      String[] translation = tokens(translations.get(i));
      String[] reference = tokens(references.get(i));
      length += translation.length;
      referenceLength += reference.length;
      for (int order = 1; order <= ORDERS; order++) {
        Map<String, Integer> wanted = ngrams(reference, order);
        for (Map.Entry<String, Integer> ngram : ngrams(translation, order).entrySet()) {
          totals[order - 1] += ngram.getValue();
          matches[order - 1] += Math.min(ngram.getValue(), wanted.getOrDefault(ngram.getKey(), 0));
        }
      }
    }
    double logs = 0;
    double smooth = 1;
    for (int order = 0; order < ORDERS; order++) {
      if (totals[order] == 0) {
        return 0;
      }
      if (matches[order] == 0) {
        smooth *= 2;
      }
      double precision = matches[order] > 0
          ? (double) matches[order] / totals[order]
          : 1 / (smooth * totals[order]);
      logs += Math.log(precision);
    }
    double brevity = length < referenceLength ? 1 - (double) referenceLength / length : 0;
    return matches[0] == 0 ? 0 : 100 * Math.exp(brevity + logs / ORDERS);
  }

  private static Map<String, Integer> ngrams(String[] tokens, int order) {
    Map<String, Integer> ngrams = new HashMap<>();
    for (int i = 0; i + order <= tokens.length; i++) {
      ngrams.merge(String.join(" ", Arrays.copyOfRange(tokens, i, i + order)), 1, Integer::sum);
    }
    return ngrams;
  }

  /** The tokens of a text by the rules of mteval-v13a. */
  static String[] tokens(String text) {
    String s = " " + text.replace("<skipped>", "")
        .replace("-\n", "")
        .replace("\n", " ")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">") + " ";
    s = SYMBOLS.matcher(s).replaceAll(" $1 ");
    s = AFTER_NO_DIGIT.matcher(s).replaceAll("$1 $2 ");
    s = BEFORE_NO_DIGIT.matcher(s).replaceAll(" $1 $2");
    s = DIGIT_DASH.matcher(s).replaceAll("$1 $2 ").strip();
    return s.isEmpty() ? new String[0] : s.split("\\s+");
  }
}
