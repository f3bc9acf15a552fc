package dev.panorm.paper.run;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.data.Corpora;
import dev.panorm.paper.data.Pair;
import dev.panorm.paper.data.TranslationData;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** Options of the translation experiments. */
final class TranslationOptions {
  @Option(names = "--data", paramLabel = "FILE", description = {
    "Sentence pairs, one a line: source, tabulator, target.",
    "Default: LibreOffice's help, English to German, from Debian's packages."})
  private Path file;

  @Option(names = "--vocabulary", paramLabel = "N", description = "Tokens. Default: ${DEFAULT-VALUE}.")
  private int vocabulary = 2000;

  @Option(names = "--longest", paramLabel = "N", description = {
    "Pairs of more tokens than this on a side are left out. Default: ${DEFAULT-VALUE}."})
  private int longest = 24;

  @Option(names = "--batch", paramLabel = "N", description = "Sentences. Default: ${DEFAULT-VALUE}.")
  private int batch = 32;

  @Option(names = "--width", paramLabel = "N", description = "Of states and embeddings. Default: ${DEFAULT-VALUE}.")
  private int width = 128;

  int width() {
    return width;
  }

  int longest() {
    return longest;
  }

  TranslationData data(Path cache) {
    if (vocabulary < 300 || longest < 1 || batch < 2 || width < 1) {
      throw new BadInput(
          "--vocabulary is %d, --longest %d, --batch %d, --width %d; they are at least 300, 1, 2, 1",
          vocabulary, longest, batch, width);
    }
    List<Pair> pairs = file == null ? Corpora.libreOfficeHelp(cache) : Corpora.pairFile(file);
    return new TranslationData(pairs, vocabulary, longest, batch);
  }

  Map<String, Object> settings() {
    Map<String, Object> settings = new TreeMap<>();
    settings.put("data", file == null ? "LibreOffice help, en-de" : file.toString());
    settings.put("longest", longest);
    settings.put("batch", batch);
    settings.put("width", width);
    return settings;
  }
}
