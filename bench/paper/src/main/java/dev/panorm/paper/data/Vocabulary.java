package dev.panorm.paper.data;

import dev.panorm.paper.BadInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Subword pieces by byte-pair encoding (Sennrich et al., 2016), laid out as llama2.c's tokenizer
 * files are: 0 unknown, 1 begins a text, 2 ends it, 3 to 258 are the bytes, then characters, then
 * merges, the earliest with the highest score. Words carry the space before them; no piece reaches
 * from letters into punctuation.
 */
public final class Vocabulary {
  public static final int BEGIN = 1;
  public static final int END = 2;
  private static final int FIRST_BYTE = 3;
  private static final int FIRST_PIECE = FIRST_BYTE + 256;
  private static final Pattern WORD = Pattern.compile(" ?\\p{L}+| ?\\p{N}| ?[^ \\p{L}\\p{N}]+| +");

  private final List<String> pieces;
  private final Map<String, Integer> ids = new HashMap<>();
  private final int merges;
  private final Map<String, int[]> words = new HashMap<>();

  private Vocabulary(List<String> pieces, int merges) {
    this.pieces = pieces;
    this.merges = merges;
    for (String piece : pieces) {
      ids.put(piece, FIRST_PIECE + ids.size());
    }
  }

  /** Learns pieces from texts, until there are {@code size} tokens or no pair occurs twice. */
  public static Vocabulary learn(Collection<String> texts, int size) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    Map<Integer, Integer> characters = new TreeMap<>();
    for (String text : texts) {
      Matcher matcher = WORD.matcher(" " + text);
      while (matcher.find()) {
        counts.merge(matcher.group(), 1, Integer::sum);
      }
    }
    counts.forEach(
        (word, count) -> word.codePoints().forEach(c -> characters.merge(c, count, Integer::sum)));
    List<String> pieces = new ArrayList<>(characters.entrySet()
        .stream()
        .sorted(Map.Entry.<Integer, Integer>comparingByValue().reversed())
        .filter(entry -> entry.getValue() > 1)
        .limit(Math.max(0, size - FIRST_PIECE))
        .map(entry -> Character.toString(entry.getKey()))
        .toList());
    int alphabet = pieces.size();
    new Learner(counts, new HashSet<>(pieces)).learn(pieces, size - FIRST_PIECE);
    return new Vocabulary(pieces, pieces.size() - alphabet);
  }

  /** Words as lists of pieces, and where each pair of neighbours occurs. */
  private static final class Learner {
    private record Pair(String left, String right) {}

    private final List<List<String>> words = new ArrayList<>();
    private final List<Integer> counts = new ArrayList<>();
    private final Map<Pair, Integer> pairs = new HashMap<>();
    private final Map<Pair, Set<Integer>> places = new HashMap<>();

    Learner(Map<String, Integer> wordCounts, Set<String> alphabet) {
      wordCounts.forEach((word, count) -> {
        List<String> characters = word.codePoints().mapToObj(Character::toString).toList();
        if (alphabet.containsAll(characters)) {
          words.add(new ArrayList<>(characters));
          counts.add(count);
          count(words.size() - 1, 1);
        }
      });
    }

    private void count(int index, int sign) {
      List<String> word = words.get(index);
      for (int i = 0; i + 1 < word.size(); i++) {
        Pair pair = new Pair(word.get(i), word.get(i + 1));
        pairs.merge(pair, sign * counts.get(index), Integer::sum);
        places.computeIfAbsent(pair, p -> new HashSet<>()).add(index);
      }
    }

    void learn(List<String> pieces, int size) {
      Set<String> known = new HashSet<>(pieces);
      Comparator<Map.Entry<Pair, Integer>> order = Map.Entry.<Pair, Integer>comparingByValue()
          .thenComparing(entry -> entry.getKey().left)
          .thenComparing(entry -> entry.getKey().right);
      while (pieces.size() < size) {
        Map.Entry<Pair, Integer> best = pairs.entrySet().stream().max(order).orElse(null);
        if (best == null || best.getValue() < 2) {
          return;
        }
        Pair pair = best.getKey();
        String joined = pair.left + pair.right;
        if (known.add(joined)) {
          pieces.add(joined);
        }
        for (int index : places.remove(pair)) {
          count(index, -1);
          List<String> word = words.get(index);
          for (int i = 0; i + 1 < word.size(); i++) {
            if (word.get(i).equals(pair.left) && word.get(i + 1).equals(pair.right)) {
              word.set(i, joined);
              word.remove(i + 1);
            }
          }
          count(index, 1);
        }
        pairs.remove(pair);
        places.remove(pair);
      }
    }
  }

  /** How many tokens there are. */
  public int size() {
    return FIRST_PIECE + pieces.size();
  }

  /** The tokens of a text, without beginning and end. */
  public int[] encode(String text) {
    if (text.isEmpty()) {
      return new int[0];
    }
    List<int[]> parts = new ArrayList<>();
    Matcher matcher = WORD.matcher(" " + text);
    while (matcher.find()) {
      parts.add(words.computeIfAbsent(matcher.group(), this::encodeWord));
    }
    return parts.stream().flatMapToInt(Arrays::stream).toArray();
  }

  private int[] encodeWord(String word) {
    List<Integer> tokens = new ArrayList<>();
    word.codePoints().mapToObj(Character::toString).forEach(character -> {
      Integer id = ids.get(character);
      if (id != null) {
        tokens.add(id);
      } else {
        for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
          tokens.add(FIRST_BYTE + (b & 0xFF));
        }
      }
    });
    while (true) {
      int place = -1;
      int best = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < tokens.size(); i++) {
        int joined = joined(tokens.get(i), tokens.get(i + 1));
        if (joined < best) {
          best = joined;
          place = i;
        }
      }
      if (place < 0) {
        return tokens.stream().mapToInt(Integer::intValue).toArray();
      }
      tokens.set(place, best);
      tokens.remove(place + 1);
    }
  }

  private int joined(int left, int right) {
    if (left < FIRST_PIECE || right < FIRST_PIECE) {
      return Integer.MAX_VALUE; // single bytes stay single
    }
    return ids.getOrDefault(pieces.get(left - FIRST_PIECE) + pieces.get(right - FIRST_PIECE),
        Integer.MAX_VALUE);
  }

  /** The text of tokens, up to the end if it is among them. */
  public String decode(int[] tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int token : tokens) {
      if (token == END) {
        break;
      }
      if (token >= FIRST_PIECE) {
        bytes.writeBytes(pieces.get(token - FIRST_PIECE).getBytes(StandardCharsets.UTF_8));
      } else if (token >= FIRST_BYTE) {
        bytes.write(token - FIRST_BYTE);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8).strip();
  }

  /** Writes llama2.c's tokenizer format. */
  public void write(Path file) {
    List<byte[]> names = new ArrayList<>();
    for (String special : List.of("<unk>", "\n<s>\n", "\n</s>\n")) {
      names.add(special.getBytes(StandardCharsets.UTF_8));
    }
    for (int value = 0; value < 256; value++) {
      names.add("<0x%02X>".formatted(value).getBytes(StandardCharsets.UTF_8));
    }
    pieces.forEach(piece -> names.add(piece.getBytes(StandardCharsets.UTF_8)));
    int alphabet = names.size() - merges;
    ByteBuffer out = ByteBuffer.allocate(4 + names.stream().mapToInt(name -> 8 + name.length).sum())
        .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(names.stream().mapToInt(name -> name.length).max().orElseThrow());
    for (int id = 0; id < names.size(); id++) {
      out.putFloat(id < alphabet ? 0 : alphabet - id - 1)
          .putInt(names.get(id).length)
          .put(names.get(id));
    }
    try {
      Files.write(file, out.array());
    } catch (IOException e) {
      throw new BadInput("%s: cannot be written: %s", file, e);
    }
  }
}
