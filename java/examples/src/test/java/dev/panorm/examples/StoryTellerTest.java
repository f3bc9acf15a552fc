package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.Backend;
import dev.panorm.Panorm;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoryTellerTest {
  @TempDir
  Path folder;

  static List<Backend> backends() {
    return Panorm.availableBackends();
  }

  @ParameterizedTest
  @MethodSource("backends")
  void greedyTextIsThatOfADoublePrecisionReference(Backend backend) {
    Run run = Run.story("--temperature", "0", "--tokens", "60", "--backend", backend.toString());
    assertEquals(
        "\"There is a very good deal of the world, and I am sure I should not have been a very good"
            + " deal of mind. I am sure I have been a very good deal of match, and I am sure I"
            + " should not\n",
        run.text());
    assertTrue(run.table().contains("\nbackend      " + backend + "\n"), run.table());
  }

  @ParameterizedTest
  @MethodSource("backends")
  void sameSeedSameTextOnEveryBackend(Backend backend) {
    for (String seed : List.of("1", "2", "-3")) {
      String[] args = {"--prompt", "Mr. Darcy", "--seed", seed, "--top-p", "1", "--tokens", "80"};
      String expected = Run.story(with(args, "--backend", "java")).text();
      assertEquals(expected, Run.story(with(args, "--backend", backend.toString())).text());
      assertTrue(expected.startsWith("Mr. Darcy"), expected);
    }
  }

  @Test
  void anotherSeedTellsAnotherStory() {
    String one = Run.story("--seed", "1", "--tokens", "40").text();
    String two = Run.story("--seed", "2", "--tokens", "40").text();
    assertNotEquals(one, two);
  }

  @Test
  void textThenEmptyLineThenTable() {
    Run run = Run.story("--prompt", "My dear", "--tokens", "120");
    assertEquals(0, run.code());
    assertTrue(run.out().startsWith("My dear"), run.out());
    String table = """
        tokens       5 read, 120 written
        speed        [0-9]+ tokens/s
        latency      p50 [0-9.]+ ms, p99 [0-9.]+ ms per token
        norms        [0-9.]+ % of the time
        backend      [a-z0-9]+
        allocations  p50 0 B, p99 [0-9]+ B per token, the first [0-9]+ B
        """;
    assertTrue(run.table().matches(table), run.table());
  }

  @Test
  void storyEndsWhereTheContextIsFull() {
    String greedy = Run.story("--temperature", "0", "--tokens", "256").text();
    Run run = Run.story("--temperature", "0", "--tokens", "2147483647");
    assertEquals(greedy, run.text());
    assertTrue(
        run.table().startsWith("tokens       1 read, 256 written; the context of 256 is full\n"),
        run.table());
  }

  @Test
  void endTokenEndsTheStory() throws IOException {
    byte[] model = TinyModel.cycle(100, 0, 1, TinyModel.id('O'), TinyModel.id('h'), 2);
    Run run = Run.story(with(tiny(model), "--temperature", "0", "--tokens", "50"));
    assertEquals("Oh\n", run.text());
    assertTrue(run.table().startsWith("tokens       1 read, 3 written\n"), run.table());
  }

  @ParameterizedTest
  @CsvSource({"1, ''", "2, é", "3, é", "4, é||", "5, é||é", "100000, é||é||é||é||é||é||é"})
  void beginTokenSeparatesStoriesAndHalfACharacterIsNotPrinted(String tokens, String text)
      throws IOException {
    byte[] model = TinyModel.cycle(20, 0, 1, TinyModel.id(0xC3), TinyModel.id(0xA9));
    Run run = Run.story(with(tiny(model), "--temperature", "0", "--tokens", tokens));
    String expected = text.replace('|', '\n');
    assertEquals(expected.isEmpty() || expected.endsWith("\n") ? expected : expected + "\n",
        run.text());
  }

  @ParameterizedTest
  @CsvSource({"--tokens, 0", "--tokens, -5", "--tokens, 2147483648", "--tokens, many",
    "--temperature, -0.1", "--temperature, NaN", "--temperature, Infinity", "--top-p, 0",
    "--top-p, 1.01", "--top-p, NaN", "--seed, 1.5"})
  void numberOutOfRange(String option, String value) {
    assertComplaint(Run.story(option, value), option, value);
  }

  @Test
  void unknownBackend() {
    assertComplaint(Run.story("--backend", "sse2"), "--backend", "sse2", "java", "avx2");
  }

  @Test
  void backendThatThisMachineHasNot() {
    Backend absent = Arrays.stream(Backend.values())
        .filter(b -> !backends().contains(b))
        .findFirst()
        .get();
    String present = backends().stream().map(Backend::toString).collect(Collectors.joining(", "));
    Run run = Run.story("--backend", absent.toString());
    assertComplaint(run, "--backend", absent.toString(), present);
  }

  @Test
  void unknownOption() {
    assertComplaint(Run.story("--sed", "7"), "--sed");
    assertComplaint(Run.story("My dear"), "My dear");
  }

  @Test
  void promptLongerThanTheContext() {
    Run fits = Run.story("--prompt", "Z".repeat(254), "--tokens", "5", "--temperature", "0");
    assertTrue(fits.table().startsWith("tokens       256 read, 1 written; the context of 256 is"));
    Run run = Run.story("--prompt", "Z".repeat(255));
    assertComplaint(run, "--prompt", "257", "austen-823k.bin", "256");
  }

  @Test
  void missingModel() {
    Path path = folder.resolve("absent.bin");
    assertComplaint(Run.story("--model", path.toString()), path.toString(), "no such file");
    assertComplaint(Run.story("--tokenizer", path.toString()), path.toString(), "no such file");
    assertComplaint(Run.story("--model", folder.toString()), folder.toString());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 27, 28, 2000, -4, -1, 4})
  void modelOfWrongSize(int size) throws IOException {
    byte[] whole = TinyModel.random(4, 6, 2, 2, 1, 259, 8);
    int length = size > 4 || size == 0 || size == 1 ? size : whole.length + size;
    Path path = TinyModel.write(folder, "cut.bin", Arrays.copyOf(whole, length));
    String expected = length < 28 ? "28" : String.valueOf(whole.length);
    Run run = Run.story("--model", path.toString());
    assertComplaint(run, path.toString(), String.valueOf(length), expected);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, dim", "0, -4, dim", "0, 1634415666, dim", "0, 5, n_heads", "1, 0, hidden_dim",
    "1, 2147483647, hidden_dim", "2, 0, n_layers", "2, -2147483648, n_layers", "3, 0, n_heads",
    "3, 3, n_heads", "3, 4, n_heads", "4, 3, n_kv_heads", "4, -1, n_kv_heads", "5, 0, vocab_size",
    "5, -2147483648, vocab_size", "6, 0, seq_len", "6, 2147483647, seq_len"})
  void headerFieldThatCannotBe(int field, int value, String name) throws IOException {
    byte[] model = TinyModel.random(4, 6, 2, 2, 1, 259, 8);
    ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN).putInt(4 * field, value);
    Path path = TinyModel.write(folder, "header.bin", model);
    int shown = field == 0 && value == 5 ? 2 : value; // 5 is a width, but not of 2 heads
    Run run = Run.story("--model", path.toString());
    assertComplaint(run, path.toString(), name + " is " + shown);
  }

  @ParameterizedTest
  @CsvSource({"0, 8", "1, 7", "2, 3", "5, 260", "5, -259", "6, 9"})
  void headerThatDoesNotFitTheFile(int field, int value) throws IOException {
    byte[] model = TinyModel.random(4, 6, 2, 2, 1, 259, 8);
    ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN).putInt(4 * field, value);
    Path path = TinyModel.write(folder, "header.bin", model);
    Run run = Run.story("--model", path.toString());
    assertComplaint(run, path.toString(), model.length + " bytes", "asks for ");
  }

  @Test
  void tokenizerOfAnotherModel() throws IOException {
    Path tokenizer = TinyModel.write(folder, "other.bin", TinyModel.tokenizer("e"));
    Run run = Run.story("--tokenizer", tokenizer.toString());
    assertComplaint(run, tokenizer.toString(), "260", "austen-823k.bin", "768");
  }

  @Test
  void modelThatIsNotNumbers() throws IOException {
    byte[] model = TinyModel.random(4, 6, 2, 2, 1, 259, 8);
    ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN).putFloat(28 + 4 * 4, Float.NaN);
    Run run = Run.story(tiny(model));
    assertComplaint(run, folder.resolve("tiny.bin").toString(), "position 0");
  }

  @Test
  void closedPipeIsNoError() {
    Run run = runInto(new FailingStream("Broken pipe"));
    assertEquals(0, run.code());
    assertEquals("", run.err());
  }

  @Test
  void fullDiskIsOne() {
    Run run = runInto(new FailingStream("No space left on device"));
    assertEquals(1, run.code());
    assertEquals("story: cannot write the story: No space left on device\n", lines(run.err()));
  }

  @Test
  void helpNamesEveryOption() {
    Run run = Run.story("--help");
    assertEquals(0, run.code());
    String options = "prompt tokens temperature top-p seed model tokenizer backend help version";
    for (String option : options.split(" ")) {
      assertTrue(run.out().contains("--" + option), option);
    }
  }

  @Test
  void versionIsTheLibrarys() {
    Run run = Run.story("--version");
    assertEquals("story teller on panorm " + Panorm.version() + "\n", lines(run.out()));
  }

  /** One line that holds these words, exit code 2, and nothing printed. */
  private static void assertComplaint(Run run, String... words) {
    assertEquals(2, run.code(), run.err());
    assertEquals("", run.out());
    String line = lines(run.err());
    assertTrue(line.startsWith("story: ") && line.indexOf('\n') == line.length() - 1, line);
    for (String word : words) {
      assertTrue(line.contains(word), () -> "no " + word + " in: " + line);
    }
  }

  private static Run runInto(OutputStream out) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    int code = StoryTeller.run(out, errors, Interrupt.never());
    return new Run(code, "", err.toString(StandardCharsets.UTF_8));
  }

  private String[] tiny(byte[] model) throws IOException {
    Path file = TinyModel.write(folder, "tiny.bin", model);
    Path tokenizer = TinyModel.write(folder, "tok.bin", TinyModel.tokenizer());
    return new String[] {"--model", file.toString(), "--tokenizer", tokenizer.toString()};
  }

  private static String[] with(String[] args, String... more) {
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return all;
  }

  private static String lines(String text) {
    return text.replace(System.lineSeparator(), "\n");
  }

  /** Takes 100 bytes. */
  private static final class FailingStream extends OutputStream {
    private final String message;
    private int room = 100;

    FailingStream(String message) {
      this.message = message;
    }

    @Override
    public void write(int value) throws IOException {
      if (room-- == 0) {
        throw new IOException(message);
      }
    }
  }
}
