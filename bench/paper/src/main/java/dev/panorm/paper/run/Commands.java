package dev.panorm.paper.run;

import static dev.panorm.paper.nn.NormKind.L2_NORM;
import static dev.panorm.paper.nn.NormKind.LAYER_NORM;
import static dev.panorm.paper.nn.NormKind.NONE;
import static dev.panorm.paper.nn.NormKind.P_RMS_NORM;
import static dev.panorm.paper.nn.NormKind.RMS_NORM;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.data.Corpora;
import dev.panorm.paper.data.TextData;
import dev.panorm.paper.data.TranslationData;
import dev.panorm.paper.model.GruTranslator;
import dev.panorm.paper.model.Llama;
import dev.panorm.paper.model.TransformerTranslator;
import dev.panorm.paper.nn.NormKind;
import dev.panorm.paper.run.Schedule.Decay;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command line. */
@Command(name = "paper", description = {
  "Trains models that differ in their norm, as Zhang and Sennrich (2019) did."}, footer = {"",
    "Exit codes: 0 done, 2 an option or file is wrong or a loss is not finite."})
public final class Commands {
  private static final int BAD_INPUT = 2;

  @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = {
    "Shows this."})
  private boolean help;

  private Commands() {}

  /** Runs a command line, with its complaints to {@code err}; gives the exit code. */
  public static int run(PrintWriter err, String... args) {
    return new CommandLine(new Commands()).setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler((e, line, result) -> {
          if (e instanceof BadInput) {
            err.println("paper: " + e.getMessage());
            return BAD_INPUT;
          }
          throw e;
        })
        .setParameterExceptionHandler((e, parsed) -> {
          err.println("paper: " + e.getMessage());
          return BAD_INPUT;
        })
        .execute(args);
  }

  @Command(name = "translate-rnn", description = "Recurrent translation, the paper's RNNSearch.")
  void translateRnn(@Mixin RunOptions options, @Mixin TranslationOptions translation) {
    recurrent("translate-rnn", 0, options, translation,
        List.of(NONE, LAYER_NORM, L2_NORM, RMS_NORM, P_RMS_NORM));
  }

  @Command(name = "centred-init", description = {
    "The paper's figure 4: recurrent translation from weights whose mean is 0.2."})
  void centredInit(@Mixin RunOptions options, @Mixin TranslationOptions translation) {
    recurrent("centred-init", 0.2, options, translation,
        List.of(NONE, LAYER_NORM, RMS_NORM, P_RMS_NORM));
  }

  private static void recurrent(String name, double centre, RunOptions options,
      TranslationOptions translation, List<NormKind> norms) {
    int steps = options.steps(2000);
    Schedule schedule = new Schedule(1e-3, 1, Decay.NONE, steps, 0.999);
    TranslationData data = translation.data(options.cache());
    Map<String, Object> settings = translation.settings();
    settings.put("centre", centre);
    options.run(new TranslationExperiment(name, settings, data, schedule,
        (parameters, norm) -> new GruTranslator(parameters, data.vocabulary().size(),
            translation.width(), centre, norm)),
        steps, norms);
  }

  @Command(name = "translate-transformer", description = "Transformer translation.")
  void translateTransformer(@Mixin RunOptions options, @Mixin TranslationOptions translation,
      @Option(names = "--blocks", defaultValue = "2", paramLabel = "N", description = {
        "Of the encoder, and of the decoder. Default: ${DEFAULT-VALUE}."}) int blocks,
      @Option(names = "--dropout", defaultValue = "0.1", paramLabel = "P", description = {
        "Share of elements. Default: ${DEFAULT-VALUE}."}) double dropout) {
    int steps = options.steps(2000);
    int heads = 4;
    if (translation.width() % heads != 0 || blocks < 1 || !(dropout >= 0 && dropout < 1)) {
      throw new BadInput("--width is %d, not a multiple of %d, or --blocks %d, --dropout %s",
          translation.width(), heads, blocks, dropout);
    }
    Schedule schedule = new Schedule(1e-3, 400, Decay.INVERSE_ROOT, steps, 0.98);
    TranslationData data = translation.data(options.cache());
    Map<String, Object> settings = translation.settings();
    settings.put("blocks", blocks);
    settings.put("dropout", dropout);
    TransformerTranslator.Shape shape = new TransformerTranslator.Shape(data.vocabulary().size(),
        translation.width(), heads, blocks, translation.longest() + 1, dropout);
    options.run(
        new TranslationExperiment("translate-transformer", settings, data, schedule,
            (parameters, norm) -> new TransformerTranslator(parameters, shape, norm)),
        steps, List.of(NONE, LAYER_NORM, RMS_NORM, P_RMS_NORM));
  }

  @Command(name = "language-model", description = "A Llama-architecture model of a text.")
  void languageModel(@Mixin RunOptions options,
      @Option(names = "--text", paramLabel = "FILE", description = {
        "Default: Jane Austen's novels, from Debian's package."}) Path text,
      @Option(names = "--vocabulary", defaultValue = "768", paramLabel = "N", description = {
        "Tokens. Default: ${DEFAULT-VALUE}."}) int vocabulary,
      @Option(names = "--context", defaultValue = "256", paramLabel = "N", description = {
        "Tokens in a window. Default: ${DEFAULT-VALUE}."}) int context,
      @Option(names = "--batch", defaultValue = "4", paramLabel = "N", description = {
        "Windows. Default: ${DEFAULT-VALUE}."}) int batch,
      @Option(names = "--width", defaultValue = "128", paramLabel = "N", description = {
        "Of the residual stream. Default: ${DEFAULT-VALUE}."}) int width,
      @Option(names = "--blocks", defaultValue = "4", paramLabel = "N", description = {
        "Default: ${DEFAULT-VALUE}."}) int blocks,
      @Option(names = "--export", paramLabel = "DIR", description = {
        "Writes model.bin and tokenizer.bin in llama2.c's formats: the model with RMSNorm."}) Path export) {
    int steps = options.steps(1000);
    if (vocabulary < 300 || context < 1 || batch < 1 || width < 8 || blocks < 1) {
      throw new BadInput("--vocabulary is %d, --context %d, --batch %d, --width %d, --blocks %d; "
          + "they are at least 300, 1, 1, 8, 1", vocabulary, context, batch, width, blocks);
    }
    TextData data = new TextData(
        text == null ? Corpora.janeAusten(options.cache()) : Corpora.textFile(text), vocabulary,
        context, batch);
    Map<String, Object> settings = new TreeMap<>();
    settings.put("data", text == null ? "Jane Austen's novels" : text.toString());
    settings.put("context", context);
    settings.put("batch", batch);
    settings.put("width", width);
    settings.put("blocks", blocks);
    // Proportions of the model that java/examples ships: hidden layer 43/16, two queries a key.
    Llama.Shape shape = new Llama.Shape(width, width * 43 / 16, blocks, 8, 4,
        data.vocabulary().size(), context);
    Schedule schedule = new Schedule(2e-3, 100, Decay.COSINE, steps, 0.95);
    options.run(new LanguageExperiment(settings, data, shape, schedule, export), steps,
        List.of(LAYER_NORM, RMS_NORM, P_RMS_NORM));
  }

  @Command(name = "report", description = {
    "Writes tables and learning curves from logs into a page, at the places it has for them."})
  void report(
      @Option(names = "--results", defaultValue = "bench/paper/results", paramLabel = "DIR", description = {
        "Logs, a folder for each experiment. Default: ${DEFAULT-VALUE}."}) Path results,
      @Option(names = "--page", defaultValue = "bench/paper/RESULTS.md", paramLabel = "FILE", description = {
        "Default: ${DEFAULT-VALUE}."}) Path page) {
    new Report(results, page).write();
  }
}
