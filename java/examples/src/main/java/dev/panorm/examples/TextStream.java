package dev.panorm.examples;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Prints text that comes in pieces of bytes, whole characters only, in UTF-8.
 *
 * <p>A character may be spread over several pieces; it waits until it is complete. Bytes that are
 * not UTF-8 become U+FFFD, and control characters other than newline and tab are left out, so that
 * no model can steer a terminal. Allocates nothing per piece.
 */
final class TextStream {
  private static final int CAPACITY = 64;

  private final OutputStream out;
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
      .onMalformedInput(CodingErrorAction.REPLACE)
      .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private final CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
  private final ByteBuffer pending = ByteBuffer.allocate(CAPACITY);
  private final CharBuffer chars = CharBuffer.allocate(CAPACITY);
  private final ByteBuffer encoded = ByteBuffer.allocate(3 * CAPACITY);
  private boolean atLineStart = true;

  TextStream(OutputStream out) {
    this.out = out;
  }

  /** Prints the bytes from one index up to another, and flushes. */
  void print(byte[] piece, int from, int to) throws IOException {
    int next = from;
    while (next < to) {
      int count = Math.min(pending.remaining(), to - next);
      pending.put(piece, next, count);
      next += count;
      pending.flip();
      decoder.decode(pending, chars, false);
      pending.compact();
      printChars();
    }
    out.flush();
  }

  private void printChars() throws IOException {
    chars.flip();
    int kept = 0;
    for (int i = 0; i < chars.limit(); i++) {
      char c = chars.get(i);
      if (c == '\n' || c == '\t' || !Character.isISOControl(c)) {
        chars.put(kept++, c);
        atLineStart = c == '\n';
      }
    }
    chars.limit(kept);
    encoder.encode(chars, encoded, false);
    out.write(encoded.array(), 0, encoded.position());
    chars.clear();
    encoded.clear();
  }

  /** Ends the line, if one has begun. A character still incomplete is dropped. */
  void endLine() throws IOException {
    pending.clear();
    decoder.reset();
    if (!atLineStart) {
      out.write('\n');
      atLineStart = true;
    }
    out.flush();
  }

  /** Prints an empty line. */
  void emptyLine() throws IOException {
    endLine();
    out.write('\n');
    out.flush();
  }
}
