package dev.panorm.paper.data;

import dev.panorm.paper.BadInput;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** The texts that models are trained on. */
public final class Corpora {
  private static final Pattern PARAGRAPH = Pattern
      .compile("<(p|h[1-6])\\s+id=\"([^\"]+)\"[^>]*>(.*?)</\\1>", Pattern.DOTALL);
  private static final Pattern TAG = Pattern.compile("<[^>]*>");
  private static final Pattern SPACES = Pattern.compile("\\s+");

  /** Consecutive lines of a pair file that count as one page. */
  private static final int LINES_A_PAGE = 50;

  private Corpora() {}

  /**
   * English and German paragraphs of LibreOffice's help, paired by page and paragraph id, each pair
   * once.
   */
  public static List<Pair> libreOfficeHelp(Path cache) {
    Map<String, String> english = helpParagraphs("en-us", "en-US", cache);
    Map<String, String> german = helpParagraphs("de", "de", cache);
    Map<String, Pair> pairs = new LinkedHashMap<>();
    english.forEach((id, source) -> {
      String target = german.get(id);
      if (target != null && !source.isEmpty() && !target.isEmpty() && !source.equals(target)) {
        pairs.putIfAbsent(source + "\t" + target,
            new Pair(source, target, id.substring(0, id.indexOf('#'))));
      }
    });
    return List.copyOf(pairs.values());
  }

  private static Map<String, String> helpParagraphs(String language, String folder, Path cache) {
    Path root = Debian.unpack("libreoffice-help-" + language, cache)
        .resolve("usr/share/libreoffice/help")
        .resolve(folder)
        .resolve("text");
    Map<String, String> paragraphs = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path page : files.filter(f -> f.toString().endsWith(".html")).sorted().toList()) {
        Matcher matcher = PARAGRAPH.matcher(Files.readString(page));
        while (matcher.find()) {
          paragraphs.put(root.relativize(page) + "#" + matcher.group(2), plain(matcher.group(3)));
        }
      }
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read: %s", root, e);
    }
    return paragraphs;
  }

  private static String plain(String html) {
    String text = TAG.matcher(html)
        .replaceAll("")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("\u00a0", " ")
        .replace("&amp;", "&");
    return SPACES.matcher(text).replaceAll(" ").strip();
  }

  /** Pairs of a file with a source and a target on each line, separated by a tabulator. */
  public static List<Pair> pairFile(Path file) {
    List<Pair> pairs = new ArrayList<>();
    for (String line : read(file).lines().toList()) {
      String[] columns = line.split("\t", -1);
      if (columns.length != 2 || columns[0].isBlank() || columns[1].isBlank()) {
        throw new BadInput("%s: line %d has %d columns, not a source and a target", file,
            pairs.size() + 1, Arrays.stream(columns).filter(c -> !c.isBlank()).count());
      }
      pairs.add(
          new Pair(columns[0].strip(), columns[1].strip(), "lines " + pairs.size() / LINES_A_PAGE));
    }
    return pairs;
  }

  /** Paragraphs of a text file, which empty lines separate. */
  public static List<String> textFile(Path file) {
    return paragraphs(read(file).lines().toList());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new BadInput("%s: not UTF-8 text", file);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read: %s", file, e);
    }
  }

  /** The paragraphs of Jane Austen's six novels, out of the Debian package of an R package. */
  public static List<String> janeAusten(Path cache) {
    Path file = Debian.unpack("r-cran-janeaustenr", cache)
        .resolve("usr/lib/R/site-library/janeaustenr/data/Rdata.rdb");
    try {
      List<String> paragraphs = new ArrayList<>();
      byte[] data = Files.readAllBytes(file);
      for (int at = 0; at < data.length;) {
        Inflater inflater = new Inflater();
        byte[] novel = new byte[new DataInputStream(new ByteArrayInputStream(data, at, 4))
            .readInt()];
        inflater.setInput(data, at + 4, data.length - at - 4);
        inflater.inflate(novel);
        at += 4 + (int) inflater.getBytesRead();
        inflater.end();
        paragraphs.addAll(paragraphs(strings(novel)));
      }
      return paragraphs;
    } catch (IOException | DataFormatException e) {
      throw new BadInput("%s: not R data as expected: %s", file, e);
    }
  }

  /** The lines in R's serialized form of a vector of strings, version 3. */
  private static List<String> strings(byte[] serialized) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized));
    in.skipNBytes(2 + 3 * 4); // format, versions
    in.skipNBytes(in.readInt()); // encoding
    in.skipNBytes(4); // type
    List<String> strings = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      in.skipNBytes(4); // type
      strings.add(new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8));
    }
    return strings;
  }

  private static List<String> paragraphs(List<String> lines) {
    List<String> paragraphs = new ArrayList<>();
    StringBuilder current = new StringBuilder();
    for (String line : lines) {
      if (line.isBlank()) {
        if (!current.isEmpty()) {
          paragraphs.add(current.toString());
        }
        current.setLength(0);
      } else {
        current.append(current.isEmpty() ? "" : " ").append(line.strip());
      }
    }
    if (!current.isEmpty()) {
      paragraphs.add(current.toString());
    }
    return paragraphs;
  }
}
