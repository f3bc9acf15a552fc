package dev.panorm.paper.nn;

import java.lang.foreign.MemorySegment;

/**
 * Softmax and cross-entropy against one target a row, averaged over the rows that have one.
 *
 * @param loss 1 x 1, with label smoothing; what is trained on
 * @param nats without smoothing: the negative log-likelihood of all targets together
 * @param count how many targets there were
 */
public record CrossEntropy(Value loss, double nats, int count) {
  /** In place of a target: the row does not count. */
  public static final int NONE = -1;

  /**
   * The loss of logits, whose memory this takes for their gradient.
   *
   * @param smoothing share of the target's probability that is spread over all classes
   */
  public static CrossEntropy of(Tape tape, Value logits, int[] targets, float smoothing) {
    int classes = logits.cols();
    int count = 0;
    for (int target : targets) {
      count += target == NONE ? 0 : 1;
    }
    MemorySegment x = logits.data();
    double nats = 0;
    double smoothed = 0;
    for (int r = 0; r < targets.length; r++) {
      long at = (long) r * classes;
      if (targets[r] == NONE) {
        x.asSlice(at * Float.BYTES, (long) classes * Float.BYTES).fill((byte) 0);
        continue;
      }
      float max = Loops.greatest(x, at, classes);
      double target = Loops.get(x, at + targets[r]) - max;
      double mean = smoothing == 0 ? 0 : Loops.total(x, at, classes) / (double) classes - max;
      float total = Loops.exp(x, at, max, classes);
      double logTotal = Math.log(total);
      nats += logTotal - target;
      smoothed += logTotal - (1 - smoothing) * target - smoothing * mean;
      float share = smoothing / classes / count;
      Loops.affine(x, at, 1 / (total * count), -share, x, at, classes);
      Loops.set(x, at + targets[r], Loops.get(x, at + targets[r]) - (1 - smoothing) / count);
    }
    Value loss = tape.allocate(1, 1);
    Loops.set(loss.data(), 0, (float) (smoothed / count));
    tape.record(loss,
        () -> Loops.add(x, 0, Loops.get(loss.grad(), 0), logits.grad(), 0, logits.size()));
    return new CrossEntropy(loss, nats, count);
  }
}
