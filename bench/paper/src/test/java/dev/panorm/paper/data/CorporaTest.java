package dev.panorm.paper.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.paper.BadInput;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorporaTest {
  @TempDir
  private Path folder;

  @Test
  void pairsAreReadByPageAndParagraph() throws IOException {
    page("en-us", "en-US", "<p id=\"a\" class=\"x\">Save the\n <b>file</b> &amp; go.</p>"
        + "<h1 id=\"b\">Title</h1><p id=\"c\">Only here</p><p id=\"d\">Same</p>");
    page("de", "de", "<p id=\"a\">Datei speichern.</p><h1 id=\"b\">Titel</h1><p id=\"d\">Same</p>");
    assertEquals(List.of(new Pair("Save the file & go.", "Datei speichern.", "x/one.html"),
        new Pair("Title", "Titel", "x/one.html")), Corpora.libreOfficeHelp(folder));
  }

  private void page(String language, String name, String html) throws IOException {
    Path page = folder.resolve("libreoffice-help-" + language)
        .resolve("usr/share/libreoffice/help")
        .resolve(name)
        .resolve("text/x/one.html");
    Files.createDirectories(page.getParent());
    Files.writeString(page, html);
  }

  @Test
  void linesOfRDataBecomeParagraphs() throws IOException {
    Path file = folder
        .resolve("r-cran-janeaustenr/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb");
    Files.createDirectories(file.getParent());
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(compressed("EMMA", "", "She was", "rich."));
    both.writeBytes(compressed("PERSUASION"));
    Files.write(file, both.toByteArray());
    assertEquals(List.of("EMMA", "She was rich.", "PERSUASION"), Corpora.janeAusten(folder));
    Files.write(file, new byte[] {0, 0, 0, 9, 1, 2, 3});
    assertThrows(BadInput.class, () -> Corpora.janeAusten(folder));
  }

  private static byte[] compressed(String... lines) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeBytes("X\n");
    for (int header : new int[] {3, 0x40201, 0x30500, 5}) {
      out.writeInt(header);
    }
    out.writeBytes("UTF-8");
    out.writeInt(0x10);
    out.writeInt(lines.length);
    for (String line : lines) {
      out.writeInt(0x40009);
      out.writeInt(line.length());
      out.write(line.getBytes(StandardCharsets.UTF_8));
    }
    Deflater deflater = new Deflater();
    deflater.setInput(bytes.toByteArray());
    deflater.finish();
    byte[] result = new byte[4 + bytes.size() + 64];
    int length = deflater.deflate(result, 4, result.length - 4);
    deflater.end();
    result[2] = (byte) (bytes.size() >> 8);
    result[3] = (byte) bytes.size();
    return Arrays.copyOf(result, 4 + length);
  }

  @Test
  void pairFilesAreChecked() throws IOException {
    Path file = folder.resolve("pairs.tsv");
    Files.writeString(file, "a\tb\nc d\te f\n");
    assertEquals(List.of(new Pair("a", "b", "lines 0"), new Pair("c d", "e f", "lines 0")),
        Corpora.pairFile(file));
    Files.writeString(file, "a\tb\nc d\n");
    assertTrue(assertThrows(BadInput.class, () -> Corpora.pairFile(file)).getMessage()
        .endsWith("line 2 has 1 columns, not a source and a target"));
    Files.write(file, new byte[] {'a', (byte) 0xFF, '\n'});
    assertTrue(assertThrows(BadInput.class, () -> Corpora.pairFile(file)).getMessage()
        .endsWith("not UTF-8 text"));
  }

  @Test
  void heldOutSentencesAreNotTrainedOn() {
    TranslationData data = TinyPairs.data();
    Set<String> trained = new HashSet<>();
    data.epoch(1, 0).forEach(batch -> trained.addAll(sources(data, batch)));
    assertFalse(trained.isEmpty());
    for (TranslationData.Part part : TranslationData.Part.values()) {
      assertEquals(100, data.bleu(part, batch -> {
        for (String source : sources(data, batch)) {
          assertFalse(trained.contains(source), source);
        }
        return sentences(batch.size(), batch.output());
      }), 1e-9); // a logarithm and its inverse
    }
  }

  private static List<String> sources(TranslationData data, Batch batch) {
    return Stream.of(sentences(batch.size(), batch.source()))
        .map(data.vocabulary()::decode)
        .toList();
  }

  /** Tokens by time, as a batch has them, with a row for each sentence. */
  private static int[][] sentences(int size, int[] tokens) {
    int[][] sentences = new int[size][tokens.length / size];
    for (int i = 0; i < tokens.length; i++) {
      sentences[i % size][i / size] = Math.max(tokens[i], 0); // nothing is -1
    }
    return sentences;
  }
}
