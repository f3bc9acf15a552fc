package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextStreamTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final TextStream text = new TextStream(out);

  @Test
  void onlyWholeCharactersComeOut() throws IOException {
    String whole = "aé€🐎b";
    byte[] bytes = whole.getBytes(StandardCharsets.UTF_8);
    int printed = 0;
    for (int i = 0; i < bytes.length; i++) {
      text.print(bytes, i, i + 1);
      boolean ends = i + 1 == bytes.length || (bytes[i + 1] & 0xC0) != 0x80;
      printed = ends ? i + 1 : printed;
      assertArrayEquals(Arrays.copyOf(bytes, printed), out.toByteArray(), "after byte " + i);
    }
    assertEquals(whole, printed());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 61, 62, 63, 64, 65, 200})
  void piecesOfAnyLength(int length) throws IOException {
    String whole = "žluťoučký kůň €uro 🐎 ".repeat(20);
    byte[] bytes = whole.getBytes(StandardCharsets.UTF_8);
    for (int from = 0; from < bytes.length; from += length) {
      text.print(bytes, from, Math.min(bytes.length, from + length));
    }
    assertEquals(whole, printed());
  }

  @Test
  void brokenBytesAreReplaced() throws IOException {
    print(0xC3, 'a', 0xFF, 0xE2, 0x82, 'b', 0xED, 0xA0, 0x80, 'c');
    assertEquals("\uFFFDa\uFFFD\uFFFDb\uFFFDc", printed());
  }

  @Test
  void controlCharactersAreLeftOut() throws IOException {
    print('a', 0x1B, '[', '2', 'J', 0, 0x7F, '\t', '\r', '\n', 0xC2, 0x9B, 'b');
    assertEquals("a[2J\t\nb", printed());
  }

  @Test
  void endOfLineDropsHalfACharacter() throws IOException {
    print('a', 0xE2, 0x82);
    text.endLine();
    print('b');
    assertEquals("a\nb", printed());
  }

  @Test
  void lineEndsOnce() throws IOException {
    text.endLine();
    print('a', '\n');
    text.endLine();
    text.endLine();
    assertEquals("a\n", printed());
    print('b');
    text.emptyLine();
    print('c');
    assertEquals("a\nb\n\nc", printed());
  }

  private void print(int... values) throws IOException {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    text.print(bytes, 0, bytes.length);
  }

  private String printed() {
    return out.toString(StandardCharsets.UTF_8);
  }
}
