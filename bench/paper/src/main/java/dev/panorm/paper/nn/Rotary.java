package dev.panorm.paper.nn;

import java.lang.foreign.MemorySegment;

/**
 * Rotary positions (Su et al., 2021), base 10,000, on neighbouring pairs as llama2.c has them: step
 * t turns pair i of each head by {@code t * 10000^(-2 i / head)}.
 */
public final class Rotary {
  private final int head;
  private final float[] cos;
  private final float[] sin;

  /** For heads of an even width and sequences of at most so many steps. */
  public Rotary(int head, int steps) {
    this.head = head;
    this.cos = new float[steps * head / 2];
    this.sin = new float[steps * head / 2];
    for (int i = 0; i < cos.length; i++) {
      int pair = i % (head / 2);
      double angle = i / (head / 2) * Math.pow(10000, -2.0 * pair / head);
      cos[i] = (float) Math.cos(angle);
      sin[i] = (float) Math.sin(angle);
    }
  }

  /** Turns each head of each row of a batch of sequences. */
  public Value apply(Tape tape, Value x, int batch) {
    Value y = tape.allocate(x.rows(), x.cols());
    turn(x.data(), y.data(), x.rows(), x.cols(), batch, 1);
    tape.record(y, () -> {
      MemorySegment back = tape.scratch(x.rows(), x.cols()).segment();
      turn(y.grad(), back, x.rows(), x.cols(), batch, -1);
      Loops.add(back, x.grad(), x.size());
    });
    return y;
  }

  private void turn(MemorySegment from, MemorySegment to, int rows, int cols, int batch,
      float direction) {
    for (int r = 0; r < rows; r++) {
      int angles = r / batch * (head / 2);
      for (int c = 0; c < cols; c += 2) {
        int pair = angles + c % head / 2;
        long at = (long) r * cols + c;
        float a = Loops.get(from, at);
        float b = Loops.get(from, at + 1);
        float s = direction * sin[pair];
        Loops.set(to, at, a * cos[pair] - b * s);
        Loops.set(to, at + 1, a * s + b * cos[pair]);
      }
    }
  }
}
