package dev.panorm.paper.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VocabularyTest {
  private static final List<String> TEXTS = List.of("low lower lowest, low",
      "new newer newest, new", "wide wider widest; 12 and 12");

  @Test
  void textComesBack() {
    Vocabulary vocabulary = Vocabulary.learn(TEXTS, 290);
    for (String text : List.of("low lower lowest, low", "newest wide 12",
        "größer \u20ac \ud83d\ude00")) {
      assertEquals(text, vocabulary.decode(vocabulary.encode(text)));
    }
    assertArrayEquals(new int[0], vocabulary.encode(""));
  }

  @Test
  void decodingStopsAtTheEnd() {
    Vocabulary vocabulary = Vocabulary.learn(TEXTS, 290);
    int[] low = vocabulary.encode("low");
    int[] more = Arrays.copyOf(low, low.length + 2);
    more[low.length] = Vocabulary.END;
    more[low.length + 1] = low[0];
    assertEquals("low", vocabulary.decode(more));
  }

  @Test
  void frequentWordsAreOnePiece() {
    Vocabulary vocabulary = Vocabulary.learn(TEXTS, 300);
    assertEquals(1, vocabulary.encode("low").length);
    assertEquals(1, vocabulary.encode("new").length);
    // Digits and punctuation stay apart.
    assertEquals(2, vocabulary.encode("12").length);
  }

  @Test
  void sizeIsNotExceeded() {
    assertEquals(280, Vocabulary.learn(TEXTS, 280).size());
  }

  @Test
  void fileIsInLlama2Format(@TempDir Path folder) throws IOException {
    Vocabulary vocabulary = Vocabulary.learn(TEXTS, 290);
    Path file = folder.resolve("tokenizer.bin");
    vocabulary.write(file);
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int longest = in.getInt();
    float before = 0;
    int tokens = 0;
    for (; in.hasRemaining(); tokens++) {
      float score = in.getFloat();
      byte[] name = new byte[in.getInt()];
      in.get(name);
      String text = new String(name, StandardCharsets.UTF_8);
      assertEquals(true, name.length <= longest && score <= before, text);
      if (tokens == 3) {
        assertEquals("<0x00>", text);
      }
      if (tokens >= 259) {
        assertEquals(text.strip(), vocabulary.decode(new int[] {tokens}));
      }
      if (tokens == 259) {
        assertEquals(" ", text); // the most frequent character
      }
      before = score;
    }
    assertEquals(vocabulary.size(), tokens);
  }
}
