package dev.panorm.examples;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The loop: a token in, the next one chosen, its text out. */
final class Narrator {
  private final Checkpoint model;
  private final Tokenizer tokenizer;
  private final Transformer transformer;
  private final Sampler sampler;
  private final TextStream text;

  Narrator(Checkpoint model, Tokenizer tokenizer, Transformer transformer, Sampler sampler,
      TextStream text) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.transformer = transformer;
    this.sampler = sampler;
    this.text = text;
  }

  /**
   * Prints the prompt, and goes on from there until enough tokens are written, the context is full,
   * the model ends the text, or an interrupt comes. Where the model begins a new text, an empty
   * line is printed.
   *
   * @param prompt the tokens to begin with, {@link Tokenizer#BOS} first
   * @param tokens how many to write at most
   * @return the number of tokens written
   */
  int tell(int[] prompt, int tokens, Stats stats, Interrupt interrupt) throws IOException {
    int context = model.shape().context();
    int token = prompt[0];
    int written = 0;
    for (int position = 0; position < context && written < tokens; position++) {
      if (interrupt.requested()) {
        break;
      }
      stats.begin();
      MemorySegment logits = transformer.forward(token, position);
      int next;
      if (position + 1 < prompt.length) {
        next = prompt[position + 1];
      } else {
        next = sampler.next(logits);
        written++;
      }
      if (next < 0) {
        text.endLine();
        throw new StoryException("%s: the scores at position %d are not finite numbers",
            model.name(), position);
      }
      if (next == Tokenizer.EOS) {
        stats.end();
        break;
      }
      print(token, next, position);
      stats.end();
      token = next;
    }
    text.endLine();
    return written;
  }

  private void print(int token, int next, int position) throws IOException {
    if (next == Tokenizer.BOS) {
      return;
    }
    byte[] piece = tokenizer.bytes(next);
    int from = 0;
    if (token == Tokenizer.BOS) {
      if (position > 0) {
        text.emptyLine();
      }
      from = piece[0] == ' ' ? 1 : 0; // a text starts with a word, and words start with a space
    }
    text.print(piece, from, piece.length);
  }
}
