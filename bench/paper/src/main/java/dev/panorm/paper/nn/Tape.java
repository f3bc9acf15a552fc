package dev.panorm.paper.nn;

import dev.panorm.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/**
 * One pass through a model: operations compute at once and, in training, are remembered, so that
 * {@link #backward} can take the gradient of a loss back through them in reverse. A value's
 * gradient is the sum over its uses.
 *
 * <p>Sequences are stored by time: with B sequences in a batch, row {@code t * B + b} is step t of
 * sequence b, so that one step of all is a run of rows.
 */
public final class Tape {
  private final Workspace memory;
  private final boolean training;
  private final SplittableRandom random;
  private final List<Step> steps = new ArrayList<>();
  private boolean inNorm;
  private long normNanos;

  /** How one operation takes its gradient back. */
  private record Step(Value result, Runnable backward, boolean norm) {}

  /**
   * A tape whose values live in a workspace until it is reset by the next tape.
   *
   * @param seed of dropout
   */
  public Tape(Workspace memory, boolean training, long seed) {
    memory.reset();
    this.memory = memory;
    this.training = training;
    this.random = new SplittableRandom(seed);
  }

  /** Whether gradients will be asked for. */
  public boolean training() {
    return training;
  }

  /** Time that norms have taken, forward and backward. */
  public long normNanos() {
    return normNanos;
  }

  Value allocate(long rows, long cols) {
    return Value.allocate(memory, rows, cols);
  }

  /** A constant. */
  public Value zeros(int rows, int cols) {
    Value zeros = allocate(rows, cols);
    zeros.data().fill((byte) 0);
    return zeros;
  }

  /** Memory until the next tape, holding anything. */
  Tensor scratch(long rows, long cols) {
    return memory.allocate(rows, cols);
  }

  void record(Value result, Runnable backward) {
    if (training) {
      steps.add(new Step(result, backward, inNorm));
    }
  }

  /** Counts what this computes, and its way back, as time of norms. */
  Value norm(Supplier<Value> operation) {
    long start = System.nanoTime();
    inNorm = true;
    Value result = operation.get();
    inNorm = false;
    normNanos += System.nanoTime() - start;
    return result;
  }

  /** Runs something and gives up the memory it took; for passes that keep no value. */
  public <T> T temporarily(Supplier<T> work) {
    Workspace.Mark mark = memory.mark();
    T result = work.get();
    memory.release(mark);
    return result;
  }

  /** Adds the gradient of a 1 x 1 loss to all that it depends on. */
  public void backward(Value loss) {
    Loops.set(loss.grad(), 0, 1);
    for (Step step : steps.reversed()) {
      if (!step.result.reached()) {
        continue;
      }
      if (step.norm) {
        long start = System.nanoTime();
        step.backward.run();
        normNanos += System.nanoTime() - start;
      } else {
        step.backward.run();
      }
    }
  }

  /** {@code x * transpose(w)}; w has a row per output, as PyTorch's and llama2.c's matrices. */
  public Value linear(Value x, Value w) {
    int n = x.rows();
    int in = x.cols();
    int out = w.rows();
    Value y = allocate(n, out);
    Blas.multiply(n, out, in, 1, x.data(), in, false, w.data(), in, true, 0, y.data(), out);
    record(y, () -> {
      Blas.multiply(n, in, out, 1, y.grad(), out, false, w.data(), in, false, 1, x.grad(), in);
      Blas.multiply(out, in, n, 1, y.grad(), out, true, x.data(), in, false, 1, w.grad(), in);
    });
    return y;
  }

  /** Sum of two values of one shape. */
  public Value add(Value a, Value b) {
    Value y = allocate(a.rows(), a.cols());
    Loops.sum(a.data(), b.data(), y.data(), y.size());
    record(y, () -> {
      Loops.add(y.grad(), a.grad(), y.size());
      Loops.add(y.grad(), b.grad(), y.size());
    });
    return y;
  }

  /** Adds a 1 x n bias to every row. */
  public Value addBias(Value x, Value bias) {
    int n = x.cols();
    Value y = allocate(x.rows(), n);
    for (long r = 0; r < x.rows(); r++) {
      MemorySegment.copy(bias.data(), 0, y.data(), r * n * Float.BYTES, (long) n * Float.BYTES);
    }
    Loops.add(x.data(), y.data(), y.size());
    record(y, () -> {
      Loops.add(y.grad(), x.grad(), y.size());
      for (long r = 0; r < y.rows(); r++) {
        Loops.add(y.grad(), r * n, 1, bias.grad(), 0, n);
      }
    });
    return y;
  }

  /** Adds row t of a constant table to step t of each of the batch's sequences. */
  public Value addPositions(Value x, Tensor table, int batch) {
    int n = x.cols();
    Value y = allocate(x.rows(), n);
    MemorySegment.copy(x.data(), 0, y.data(), 0, y.size() * Float.BYTES);
    for (long r = 0; r < x.rows(); r++) {
      Loops.add(table.segment(), r / batch * n, 1, y.data(), r * n, n);
    }
    record(y, () -> Loops.add(y.grad(), x.grad(), y.size()));
    return y;
  }

  /** Element-wise product of two values of one shape. */
  public Value multiply(Value a, Value b) {
    Value y = allocate(a.rows(), a.cols());
    Loops.product(a.data(), 0, b.data(), 0, y.data(), 0, y.size());
    record(y, () -> {
      Loops.addProduct(y.grad(), 0, b.data(), 0, 1, a.grad(), 0, y.size());
      Loops.addProduct(y.grad(), 0, a.data(), 0, 1, b.grad(), 0, y.size());
    });
    return y;
  }

  /** {@code scale * x}. */
  public Value scale(Value x, float scale) {
    Value y = allocate(x.rows(), x.cols());
    Loops.affine(x.data(), 0, scale, 0, y.data(), 0, y.size());
    record(y, () -> Loops.add(y.grad(), 0, scale, x.grad(), 0, y.size()));
    return y;
  }

  /** {@code (1 - z) * a + z * b}: what a gated unit keeps and takes. */
  public Value mix(Value z, Value a, Value b) {
    Value y = allocate(a.rows(), a.cols());
    Loops.mix(z.data(), a.data(), b.data(), y.data(), y.size());
    record(y, () -> Loops.mixBackward(y.grad(), z.data(), a.data(), b.data(), z.grad(), a.grad(),
        b.grad(), y.size()));
    return y;
  }

  /** Hyperbolic tangent. */
  public Value tanh(Value x) {
    Value y = allocate(x.rows(), x.cols());
    Loops.tanh(x.data(), y.data(), y.size());
    record(y, () -> Loops.tanhBackward(y.grad(), y.data(), x.grad(), y.size()));
    return y;
  }

  /** Logistic sigmoid. */
  public Value sigmoid(Value x) {
    Value y = allocate(x.rows(), x.cols());
    Loops.sigmoid(x.data(), y.data(), y.size());
    record(y, () -> Loops.sigmoidBackward(y.grad(), y.data(), x.grad(), y.size()));
    return y;
  }

  /** {@code x * sigmoid(x)}. */
  public Value silu(Value x) {
    Value y = allocate(x.rows(), x.cols());
    Loops.silu(x.data(), y.data(), y.size());
    record(y, () -> Loops.siluBackward(y.grad(), x.data(), x.grad(), y.size()));
    return y;
  }

  /** {@code max(x, 0)}. */
  public Value relu(Value x) {
    Value y = allocate(x.rows(), x.cols());
    Loops.relu(x.data(), y.data(), y.size());
    record(y, () -> Loops.reluBackward(y.grad(), y.data(), x.grad(), y.size()));
    return y;
  }

  /** Zeroes elements with probability p and scales the others by 1 / (1 - p); only in training. */
  public Value dropout(Value x, double p) {
    if (!training || p == 0) {
      return x;
    }
    Tensor mask = memory.allocate(x.rows(), x.cols());
    float kept = (float) (1 / (1 - p));
    for (long i = 0; i < x.size(); i++) {
      Loops.set(mask.segment(), i, random.nextDouble() < p ? 0 : kept);
    }
    Value y = allocate(x.rows(), x.cols());
    Loops.product(x.data(), 0, mask.segment(), 0, y.data(), 0, y.size());
    record(y, () -> Loops.addProduct(y.grad(), 0, mask.segment(), 0, 1, x.grad(), 0, y.size()));
    return y;
  }

  /** A copy of some columns. */
  public Value columns(Value x, int from, int count) {
    Value y = allocate(x.rows(), count);
    for (long r = 0; r < x.rows(); r++) {
      MemorySegment.copy(x.data(), (r * x.cols() + from) * Float.BYTES, y.data(),
          r * count * Float.BYTES, (long) count * Float.BYTES);
    }
    record(y, () -> {
      for (long r = 0; r < y.rows(); r++) {
        Loops.add(y.grad(), r * count, 1, x.grad(), r * x.cols() + from, count);
      }
    });
    return y;
  }

  /** A copy of two values of as many rows, side by side. */
  public Value beside(Value a, Value b) {
    int n = a.cols() + b.cols();
    Value y = allocate(a.rows(), n);
    for (long r = 0; r < a.rows(); r++) {
      MemorySegment.copy(a.data(), r * a.cols() * Float.BYTES, y.data(), r * n * Float.BYTES,
          (long) a.cols() * Float.BYTES);
      MemorySegment.copy(b.data(), r * b.cols() * Float.BYTES, y.data(),
          (r * n + a.cols()) * Float.BYTES, (long) b.cols() * Float.BYTES);
    }
    record(y, () -> {
      for (long r = 0; r < a.rows(); r++) {
        Loops.add(y.grad(), r * n, 1, a.grad(), r * a.cols(), a.cols());
        Loops.add(y.grad(), r * n + a.cols(), 1, b.grad(), r * b.cols(), b.cols());
      }
    });
    return y;
  }

  /** A copy of values of one width, one below the other. */
  public Value stack(List<Value> parts) {
    Value y = allocate(parts.stream().mapToLong(Value::rows).sum(), parts.getFirst().cols());
    long at = 0;
    for (Value part : parts) {
      MemorySegment.copy(part.data(), 0, y.data(), at * Float.BYTES, part.size() * Float.BYTES);
      at += part.size();
    }
    record(y, () -> {
      long from = 0;
      for (Value part : parts) {
        Loops.add(y.grad(), from, 1, part.grad(), 0, part.size());
        from += part.size();
      }
    });
    return y;
  }

  /** Row {@code ids[r]} of a table as row r. */
  public Value embed(Value table, int[] ids) {
    int n = table.cols();
    Value y = allocate(ids.length, n);
    for (int r = 0; r < ids.length; r++) {
      MemorySegment.copy(table.data(), (long) ids[r] * n * Float.BYTES, y.data(),
          (long) r * n * Float.BYTES, (long) n * Float.BYTES);
    }
    record(y, () -> {
      for (int r = 0; r < ids.length; r++) {
        Loops.add(y.grad(), (long) r * n, 1, table.grad(), (long) ids[r] * n, n);
      }
    });
    return y;
  }

  /** The index of the greatest element of each row; the first among equals. */
  public static int[] argmax(Value x) {
    int[] best = new int[x.rows()];
    for (int r = 0; r < best.length; r++) {
      long at = (long) r * x.cols();
      float greatest = Loops.greatest(x.data(), at, x.cols());
      while (best[r] < x.cols() - 1 && Loops.get(x.data(), at + best[r]) != greatest) {
        best[r]++;
      }
    }
    return best;
  }
}
