package dev.panorm.paper.data;

import dev.panorm.paper.BadInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Pairs split by page into training, development and test, as tokens and in batches. Of the pages,
 * one in twenty is for development and one in twenty for testing; sentences there that training
 * also has, as source or as target, are left out.
 */
public final class TranslationData {
  /** The split does not depend on a run's seed. */
  private static final long SPLIT_SEED = 1910_07467;

  private final Vocabulary vocabulary;
  private final int batchSize;
  private final List<Example> training;
  private final List<Example> development;
  private final List<Example> test;

  /**
   * Splits pairs and learns a vocabulary of both languages from the training part.
   *
   * @param longest pairs with more tokens than this on either side are left out
   */
  public TranslationData(List<Pair> pairs, int vocabularySize, int longest, int batchSize) {
    this.batchSize = batchSize;
    List<String> pages = new ArrayList<>(pairs.stream().map(Pair::page).distinct().toList());
    Collections.shuffle(pages, new Random(SPLIT_SEED));
    int held = Math.max(1, pages.size() / 20);
    if (pages.size() < 3) {
      throw new BadInput("%d pairs on %d pages: too few to train, develop and test on",
          pairs.size(), pages.size());
    }
    Set<String> developmentPages = new HashSet<>(pages.subList(0, held));
    Set<String> testPages = new HashSet<>(pages.subList(held, 2 * held));
    List<Pair> trained = pairs.stream()
        .filter(p -> !developmentPages.contains(p.page()) && !testPages.contains(p.page()))
        .toList();
    Set<String> seen = trained.stream()
        .flatMap(p -> Stream.of(p.source(), p.target()))
        .collect(Collectors.toSet());
    List<Pair> unseen = pairs.stream()
        .filter(p -> !seen.contains(p.source()) && !seen.contains(p.target()))
        .toList();
    this.vocabulary = Vocabulary.learn(
        trained.stream().flatMap(p -> Stream.of(p.source(), p.target())).toList(), vocabularySize);
    this.training = encode(trained, longest);
    this.development = encode(
        unseen.stream().filter(p -> developmentPages.contains(p.page())).toList(), longest);
    this.test = encode(unseen.stream().filter(p -> testPages.contains(p.page())).toList(), longest);
    if (training.isEmpty() || development.isEmpty() || test.isEmpty()) {
      throw new BadInput(
          "Of %d pairs, %d are left for training, %d for development, %d for testing; none may be 0",
          pairs.size(), training.size(), development.size(), test.size());
    }
  }

  private List<Example> encode(List<Pair> pairs, int longest) {
    List<Example> examples = new ArrayList<>();
    for (Pair pair : pairs) {
      int[] source = vocabulary.encode(pair.source());
      int[] target = vocabulary.encode(pair.target());
      if (source.length >= 1 && target.length >= 1 && source.length <= longest
          && target.length <= longest) {
        int[] ended = Arrays.copyOf(source, source.length + 1);
        ended[source.length] = Vocabulary.END;
        examples.add(new Example(pair, ended, target));
      }
    }
    return examples;
  }

  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** What the parts hold, for a log. */
  public Map<String, Integer> sizes() {
    Map<String, Integer> sizes = new TreeMap<>();
    sizes.put("training pairs", training.size());
    sizes.put("development pairs", development.size());
    sizes.put("test pairs", test.size());
    sizes.put("tokens", vocabulary.size());
    return sizes;
  }

  /**
   * The batches of one pass over the training part, shuffled. A batch of a single pair is left out:
   * BatchNorm has no use for it.
   */
  public List<Batch> epoch(long seed, int epoch) {
    List<Example> shuffled = new ArrayList<>(training);
    Random random = new Random(seed * 1_000_003 + epoch);
    Collections.shuffle(shuffled, random);
    List<Batch> batches = new ArrayList<>(
        groups(shuffled).stream().filter(g -> g.size() > 1).map(Batch::of).toList());
    Collections.shuffle(batches, random);
    return batches;
  }

  private List<List<Example>> groups(List<Example> examples) {
    Collection<List<Example>> byLength = examples.stream()
        .collect(Collectors.groupingBy(e -> e.source().length, TreeMap::new, Collectors.toList()))
        .values();
    List<List<Example>> groups = new ArrayList<>();
    for (List<Example> same : byLength) {
      for (int from = 0; from < same.size(); from += batchSize) {
        groups.add(same.subList(from, Math.min(from + batchSize, same.size())));
      }
    }
    return groups;
  }

  /** The development part in batches. */
  public List<Batch> development() {
    return groups(development).stream().map(Batch::of).toList();
  }

  /** BLEU of a translator on one part. */
  public double bleu(Part part, Translator translator) {
    List<String> translations = new ArrayList<>();
    List<String> references = new ArrayList<>();
    for (List<Example> group : groups(part == Part.TEST ? test : development)) {
      int[][] tokens = translator.translate(Batch.of(group));
      for (int b = 0; b < tokens.length; b++) {
        translations.add(vocabulary.decode(tokens[b]));
        references.add(group.get(b).pair().target());
      }
    }
    return Bleu.score(translations, references);
  }

  /** What was not trained on. */
  public enum Part {
    DEVELOPMENT, TEST
  }

  /** Gives a translation of each source in a batch. */
  @FunctionalInterface
  public interface Translator {
    int[][] translate(Batch batch);
  }
}
