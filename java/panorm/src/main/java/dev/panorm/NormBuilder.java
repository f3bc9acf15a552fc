package dev.panorm;

import dev.panorm.internal.Options;
import java.util.Objects;
import java.util.concurrent.Executor;

/** The options of all operators; each offers its own. */
abstract sealed class NormBuilder<B extends NormBuilder<B>>
    permits AffineBuilder, L2Norm.Builder, WeightNorm.Builder {
  Tensor gain;
  Tensor bias;
  double gainOffset;
  boolean roundBeforeGain;
  int gainLayout = Options.GAIN_PER_COLUMN;
  int groups = 1;
  double epsilon;
  int epsilonMode = Options.EPSILON_INSIDE;
  double partial = 1;
  boolean partialRoundsDown;
  long partialWidth;

  /** 0: the number of columns that are summed. */
  double divisor;

  Backend backend;

  /** Null: one thread. */
  Parallel parallel;

  NormBuilder(double epsilon) {
    this.epsilon = epsilon;
  }

  @SuppressWarnings("unchecked")
  final B self() {
    return (B) this;
  }

  /**
   * Runs on this backend. Default: {@link Panorm#backend}. For comparisons; the bits are the same.
   *
   * @throws IllegalArgumentException if it is not available
   * @throws IllegalStateException as {@link Panorm#backend}
   */
  public B backend(Backend backend) {
    this.backend = Backends.requireAvailable(Objects.requireNonNull(backend, "backend"));
    return self();
  }

  /**
   * Runs calls on several threads: in at most so many parts, of rows, or of columns where sums or
   * statistics are over the rows. The calling thread takes parts too and returns when all have
   * ended, whatever the executor does: a call from one of its own threads cannot deadlock, and work
   * that it rejects is done by the caller. What a part throws, the caller gets. The bits are those
   * of one thread. Calls of fewer than 2^19 elements, backward 2^20, are not divided: waking a
   * thread would cost more. The caller waits for the last parts up to 50 microseconds without
   * sleeping. Default: the calling thread only.
   *
   * <p>Calls of whatever size then throw {@link IllegalArgumentException} for tensors that are
   * confined to one thread: what works with a small batch should not fail with a large one. Only
   * forward calls of one row, which are never divided, take them (not those of {@link BatchNorm}).
   * If the executor throws anything but {@link java.util.concurrent.RejectedExecutionException} or
   * {@link OutOfMemoryError}, the caller gets it, and what has been written of the outputs is
   * undefined.
   *
   * @throws IllegalArgumentException if parts is less than 1
   */
  public B parallel(Executor executor, int parts) {
    Objects.requireNonNull(executor, "executor");
    Checks.require(parts >= 1, "parts is %s, less than 1", parts);
    this.parallel = new Parallel(executor, parts);
    return self();
  }

  /**
   * The same on these threads, which need not be woken: in as many parts as there are of them with
   * the calling one, from 2^15 elements on, backward 2^16.
   */
  public B parallel(SpinningThreads threads) {
    this.parallel = new Parallel(Objects.requireNonNull(threads, "threads"));
    return self();
  }

  final B setGain(Tensor gain) {
    this.gain = row(gain, "gain");
    return self();
  }

  final B setBias(Tensor bias) {
    this.bias = row(bias, "bias");
    return self();
  }

  final B setEpsilon(double epsilon) {
    Checks.require(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY, "epsilon is %s", epsilon);
    this.epsilon = epsilon;
    return self();
  }

  final B setGainLayout(GainLayout layout) {
    this.gainLayout = Objects.requireNonNull(layout, "gain layout").option;
    return self();
  }

  final B setGroups(int groups) {
    Checks.require(groups >= 1, "groups is %s, less than 1", groups);
    this.groups = groups;
    return self();
  }

  final B setPartial(double p, boolean roundDown) {
    Checks.require(p > 0 && p <= 1, "partial is %s, not in (0, 1]", p);
    partial = p;
    partialRoundsDown = roundDown;
    partialWidth = 0;
    return self();
  }

  final B setPartialWidth(long k) {
    Checks.require(k >= 1, "partial width is %s, less than 1", k);
    partialWidth = k;
    return self();
  }

  private static Tensor row(Tensor t, String name) {
    Objects.requireNonNull(t, name);
    Checks.require(t.rows() == 1, "%s is %s, not one row", name, t);
    return parameter(t, name);
  }

  static Tensor parameter(Tensor t, String name) {
    Checks.require(t.type() != DType.I8, "%s is %s, not F32, F64, F16 or BF16", name, t);
    return t;
  }
}
