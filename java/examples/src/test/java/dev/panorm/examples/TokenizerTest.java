package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {

  @Test
  void tokensOfTheShippedVocabulary() {
    try (Arena arena = Arena.ofConfined()) {
      Tokenizer tokenizer = shipped(arena);
      assertArrayEquals(new int[] {1}, tokenizer.encode(""));
      // M y | de ar, with a space before each word
      assertArrayEquals(new int[] {1, 384, 274, 463, 357}, tokenizer.encode("My dear"));
      assertArrayEquals(new int[] {1, 664, 431, 325, 323, 267, 389, 265, 525, 266, 374, 268, 642,
        588, 283, 264, 393, 270, 343, 277, 343},
          tokenizer.encode("It is a truth universally acknowledged"));
      // Z, ë, — and the quotes are not in it: bytes
      assertArrayEquals(new int[] {1, 259, 93, 263, 198, 174, 259, 229, 131, 151, 259, 229, 131,
        159, 264, 263, 229, 131, 160}, tokenizer.encode("Zoë — “no”"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"It is a truth universally acknowledged",
    " two spaces before,  two between, one after ", "line\nbreak\ttab", "žluťoučký kůň 馬 🐎",
    "<0x0A> <s> </s> <unk>", "\n<s>\n"})
  void textComesBack(String text) {
    try (Arena arena = Arena.ofConfined()) {
      Tokenizer tokenizer = shipped(arena);
      int[] tokens = tokenizer.encode(text);
      assertEquals(Tokenizer.BOS, tokens[0]);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int token : Arrays.copyOfRange(tokens, 1, tokens.length)) {
        assertTrue(token > Tokenizer.EOS, "text must not become a special token");
        bytes.writeBytes(tokenizer.bytes(token));
      }
      assertEquals(" " + text, bytes.toString(StandardCharsets.UTF_8));
    }
  }

  @Test
  void bestScoreIsJoinedFirstAndTheLeftmostAmongEquals() {
    String[] pieces = {"bc", "ab", "aa", " ", "a", "b", "c"};
    Tokenizer tokenizer = tiny(pieces);
    assertEquals(" |a|bc", joined(tokenizer, "abc"));
    assertEquals(" |ab|ab", joined(tokenizer, "abab"));
    assertEquals(" |aa|a", joined(tokenizer, "aaa"));
    assertEquals(" |aa|aa|a|c", joined(tokenizer, "aaaaac"));
  }

  @Test
  void joiningSkipsWhatIsGone() {
    // "ab" takes the b that "bc" wanted, then "cd" is free to form.
    assertEquals(" |ab|cd", joined(tiny("ab", "bc", "cd", " ", "a", "b", "c", "d"), "abcd"));
    assertEquals(" |abcd", joined(tiny("bc", "abc", "abcd", " ", "a", "b", "c", "d"), "abcd"));
  }

  @ParameterizedTest
  @CsvSource({"0, 0 bytes", "3, 3 bytes", "11, inside token 0", "16, inside token 0", "4, 0 tokens",
    "17, 1 tokens", "-1, inside token 259"})
  void cutFile(int length, String complaint) {
    byte[] whole = TinyModel.tokenizer("e");
    byte[] cut = Arrays.copyOf(whole, length < 0 ? whole.length + length : length);
    assertComplaint(complaint, cut, 260);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, longest token has length 0", "0, -1, longest token has length -1",
    "0, 4, token 0 has length 5", "8, 0, token 0 has length 0", "8, -5, token 0 has length -5",
    "8, 2147483647, token 0 has length 2147483647", "4, 2143289344, the score of token 0 is NaN"})
  void wrongNumber(int offset, int value, String complaint) {
    byte[] file = TinyModel.tokenizer("e");
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(offset, value);
    assertComplaint(complaint, file, 260);
  }

  @Test
  void byteTokensMustBeInTheirPlaces() {
    byte[] file = TinyModel.tokenizer("e");
    int at = new String(file, StandardCharsets.ISO_8859_1).indexOf("<0x41>");
    file[at + 4] = '2';
    assertComplaint("token 68 is not <0x41>", file, 260);
  }

  private static void assertComplaint(String complaint, byte[] file, int vocabSize) {
    StoryException e = assertThrows(StoryException.class, () -> read(file, vocabSize));
    assertTrue(e.getMessage().startsWith("tok.bin: "), e.getMessage());
    assertTrue(e.getMessage().contains(complaint), e.getMessage());
  }

  private static String joined(Tokenizer tokenizer, String text) {
    StringBuilder result = new StringBuilder();
    for (int token : Arrays.stream(tokenizer.encode(text)).skip(1).toArray()) {
      result.append(result.isEmpty() ? "" : "|");
      result.append(new String(tokenizer.bytes(token), StandardCharsets.UTF_8));
    }
    return result.toString();
  }

  private static Tokenizer shipped(Arena arena) {
    Checkpoint model = Checkpoint.read(DataFile.shipped("austen-823k.bin", arena));
    return Tokenizer.read(DataFile.shipped("austen-tok768.bin", arena), model);
  }

  private static Tokenizer tiny(String... pieces) {
    return read(TinyModel.tokenizer(pieces), 259 + pieces.length);
  }

  private static Tokenizer read(byte[] file, int vocabSize) {
    ModelShape shape = new ModelShape(4, 6, 2, 2, 1, vocabSize, 8, true);
    Checkpoint model = new Checkpoint("model.bin", shape, null, null, null, null);
    return Tokenizer.read(new DataFile("tok.bin", MemorySegment.ofArray(file)), model);
  }
}
