package dev.panorm.examples;

import dev.panorm.Backend;
import dev.panorm.Panorm;
import dev.panorm.RmsNorm;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command: tells a story with a language model whose norms run through Panorm. */
@Command(name = "story", mixinStandardHelpOptions = true, description = {
  "Tells a story with a small language model whose norms run through Panorm."}, footer = {"",
    "The shipped model was trained on Jane Austen's six novels. Any checkpoint in",
    "llama2.c's format runs; name its tokenizer as well.", "",
    "Exit codes: 0 the story is told, 1 it could not be written, 2 an option or file",
    "is wrong, 130 Ctrl-C."})
final class StoryTeller implements Callable<Integer> {
  private static final String MODEL = "austen-823k.bin";
  private static final String TOKENIZER = "austen-tok768.bin";
  private static final String BY_DEFAULT = " Default: ${DEFAULT-VALUE}.";
  private static final int CANNOT_WRITE = 1;
  private static final int BAD_INPUT = 2;

  private final OutputStream out;
  private final Interrupt interrupt;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "How the story begins.")
  private String prompt = "";

  @Option(names = "--tokens", paramLabel = "N", description = {
    "How many tokens to write, at least 1; fewer if the model's context is full before."
        + BY_DEFAULT})
  private int tokens = 200;

  @Option(names = "--temperature", paramLabel = "T", description = {
    "How daring the choice of words is; 0 takes the likeliest token each time." + BY_DEFAULT})
  private double temperature = 0.8;

  @Option(names = "--top-p", paramLabel = "P", description = {
    "Choose among the likeliest tokens that together reach this probability, above 0 and at most 1."
        + BY_DEFAULT})
  private double topP = 0.9;

  @Option(names = "--seed", paramLabel = "N", description = {
    "Where chance starts; the same seed tells the same story." + BY_DEFAULT})
  private long seed = 1;

  @Option(names = "--model", paramLabel = "FILE", description = {
    "A llama2.c checkpoint. Default: the shipped " + MODEL + "."})
  private Path model;

  @Option(names = "--tokenizer", paramLabel = "FILE", description = {
    "The checkpoint's tokenizer. Default: the shipped " + TOKENIZER + "."})
  private Path tokenizer;

  @Option(names = "--backend", paramLabel = "NAME", description = {
    "java, scalar, neon, avx2 or avx512. Default: the fastest here."})
  private String backend;

  private StoryTeller(OutputStream out, Interrupt interrupt) {
    this.out = out;
    this.interrupt = interrupt;
  }

  /** Runs the command and exits with its code. */
  public static void main(String[] args) {
    int code;
    try (Interrupt interrupt = Interrupt.onShutdown()) {
      code = run(new FileOutputStream(FileDescriptor.out), System.err, interrupt, args);
    }
    System.exit(code);
  }

  /** Runs the command and returns its exit code. */
  static int run(OutputStream out, PrintStream err, Interrupt interrupt, String... args) {
    CommandLine command = new CommandLine(new StoryTeller(out, interrupt));
    command.getCommandSpec().version("story teller on panorm " + Panorm.version());
    command.getCommandSpec().usageMessage().sortOptions(false);
    command.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    command.setParameterExceptionHandler((e, rest) -> complain(err, BAD_INPUT, e.getMessage()));
    command.setExecutionExceptionHandler((e, line, parsed) -> switch (e) {
      case StoryException wrong -> complain(err, BAD_INPUT, wrong.getMessage());
      case IOException failed -> cannotWrite(err, failed);
      default -> throw e;
    });
    return command.execute(args);
  }

  private static int complain(PrintStream err, int code, String message) {
    err.println("story: " + message.replaceAll("\\p{Cntrl}+", " "));
    return code;
  }

  /** A reader that closes the pipe has read enough; anything else is worth a word. */
  private static int cannotWrite(PrintStream err, IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.toLowerCase(Locale.ROOT).contains("pipe")
        ? 0
        : complain(err, CANNOT_WRITE, "cannot write the story: " + message);
  }

  @Override
  public Integer call() throws IOException {
    checkRanges();
    Backend chosen = backend();
    try (Arena arena = Arena.ofConfined()) {
      DataFile modelFile = model == null
          ? DataFile.shipped(MODEL, arena)
          : DataFile.map(model, arena);
      Checkpoint checkpoint = Checkpoint.read(modelFile);
      DataFile tokenizerFile = tokenizer == null
          ? DataFile.shipped(TOKENIZER, arena)
          : DataFile.map(tokenizer, arena);
      tell(checkpoint, Tokenizer.read(tokenizerFile, checkpoint), chosen, arena);
    }
    return 0;
  }

  private void checkRanges() {
    if (tokens < 1) {
      throw new StoryException("--tokens is %d, but must be at least 1", tokens);
    }
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new StoryException("--temperature is %s, but must be a number of at least 0",
          temperature);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new StoryException("--top-p is %s, but must be above 0 and at most 1", topP);
    }
  }

  private Backend backend() {
    try {
      if (backend == null) {
        return Panorm.backend();
      }
      Backend named = Backend.of(backend);
      RmsNorm.builder().backend(named); // refuses one that is not available, and says which are
      return named;
    } catch (IllegalArgumentException e) {
      throw new StoryException("--backend: %s", e.getMessage());
    } catch (IllegalStateException e) {
      throw new StoryException("%s", e.getMessage()); // the system property or variable is wrong
    }
  }

  private void tell(Checkpoint checkpoint, Tokenizer vocabulary, Backend chosen, Arena arena)
      throws IOException {
    int context = checkpoint.shape().context();
    int[] start = vocabulary.encode(prompt);
    if (start.length > context) {
      throw new StoryException("--prompt takes %d tokens, but the context of %s holds %d",
          start.length, checkpoint.name(), context);
    }
    Transformer transformer = transformer(checkpoint, chosen, arena);
    Sampler sampler = new Sampler(checkpoint.shape().vocabSize(), temperature, topP, seed);
    TextStream text = new TextStream(out);
    Stats stats = new Stats(context);
    Narrator narrator = new Narrator(checkpoint, vocabulary, transformer, sampler, text);
    int written = narrator.tell(start, tokens, stats, interrupt);
    if (interrupt.requested()) {
      return;
    }
    boolean full = written < tokens && start.length - 1 + written == context;
    String summary = start.length + " read, " + written + " written"
        + (full ? "; the context of " + context + " is full" : "");
    String table = stats.table(summary, transformer.normNanos(), chosen);
    out.write(("\n" + table).getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static Transformer transformer(Checkpoint checkpoint, Backend backend, Arena arena) {
    try {
      return new Transformer(checkpoint, backend, arena);
    } catch (OutOfMemoryError e) {
      throw new StoryException("%s: no memory for its context of %d: %s", checkpoint.name(),
          checkpoint.shape().context(), e.getMessage());
    }
  }
}
