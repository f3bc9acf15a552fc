package dev.panorm;

import dev.panorm.internal.BackwardCall;
import dev.panorm.internal.ForwardCall;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import java.util.Objects;

/**
 * BatchNorm: centres each column and divides it by its standard deviation, over the rows of a batch.
 * Ioffe and Szegedy (2015); compared with RMSNorm by Zhang and Sennrich (2019), table 1; ONNX
 * operator BatchNormalization, with the channels as columns.
 *
 * <pre>{@code
 * mean     = sum over rows of x / rows
 * variance = sum over rows of (x - mean)^2 / rows
 * inverse  = 1 / sqrt(variance + epsilon)
 * y        = (x - mean) * inverse * gain + bias
 * }</pre>
 *
 * <p>Shapes: x, y and gradients of x are rows x columns, with any row stride; gain, bias, their
 * gradients and all statistics are 1 x columns. Types are those of {@link RmsNorm}, but y has x's.
 * In-place use, errors and thread-safety are those of {@link RmsNorm}, too. A column with a NaN or
 * an infinity becomes all NaN.
 *
 * <p>Training and backward need all rows at once: with tensors on the Java heap they hold up garbage
 * collection, and whatever else stops all threads, for as long as 64 columns take. Large batches
 * belong off the heap.
 */
public final class BatchNorm {
  private final Backend backend;
  private final Kernels training;
  private final Kernels inference;
  private final Kernels backward;
  private final Parameters parameters;
  private final double epsilon;
  private final double momentum;
  private final Parallel parallel;

  private BatchNorm(Builder b) {
    backend = b.backend == null ? Panorm.backend() : b.backend;
    training = new Kernels("BatchNorm", Op.BATCH_NORM, backend);
    inference = new Kernels("BatchNorm", Op.BATCH_NORM_INFERENCE, backend);
    backward = new Kernels("BatchNorm backward", Op.BATCH_NORM_BACKWARD, backend);
    parameters = new Parameters(b);
    epsilon = b.epsilon;
    momentum = b.momentum;
    parallel = b.parallel;
  }

  /** Builds a norm without gain, for rows of any width. */
  public static Builder builder() {
    return new Builder();
  }

  /** Builds a norm with a gain of 1 x n, for rows of n columns. */
  public static Builder builder(Tensor gain) {
    return new Builder().gain(gain);
  }

  /** Inference: normalizes by a given mean and variance, those that training has averaged. */
  public void forward(Tensor x, Tensor y, Tensor mean, Tensor variance) {
    Checks.present(x, y, "y");
    boolean heap = parameters.checkOutput(x, y);
    parameters.check(x, x.cols());
    Kernel kernel = inference.of(x.type(), y.type());
    checkStatistic(mean, "mean", x);
    checkStatistic(variance, "variance", x);
    Checks.apart(y, "y", mean, "mean");
    Checks.apart(y, "y", variance, "variance");
    if (x.rows() > 0 && x.cols() > 0) {
      run(kernel, x, null, y, mean, variance, "variance", heap | mean.onHeap() | variance.onHeap());
    }
  }

  /**
   * Training: normalizes by the mean and the variance of this batch.
   *
   * @param y may be x, which backward then lacks
   * @param mean written
   * @param variance written: the sum of squares divided by rows; null if not wanted
   * @param inverseDeviation written
   * @throws IllegalArgumentException also if x has no rows
   */
  public void trainingForward(Tensor x, Tensor y, Tensor mean, Tensor variance,
      Tensor inverseDeviation) {
    train(x, y, mean, variance, inverseDeviation, null, null);
  }

  /**
   * Also moves running averages by {@link Builder#momentum} towards the mean and the unbiased
   * variance (divided by rows - 1) of this batch, as PyTorch does.
   *
   * @param variance written, and needed here: not null
   * @throws IllegalArgumentException also if x has fewer rows than two
   */
  public void trainingForward(Tensor x, Tensor y, Tensor mean, Tensor variance,
      Tensor inverseDeviation, Tensor runningMean, Tensor runningVariance) {
    Objects.requireNonNull(variance, "variance");
    Objects.requireNonNull(runningMean, "running mean");
    Objects.requireNonNull(runningVariance, "running variance");
    train(x, y, mean, variance, inverseDeviation, runningMean, runningVariance);
    double unbiased = x.rows() / (x.rows() - 1.0);
    for (long column = 0; column < x.cols(); column++) {
      move(runningMean, column, mean.get(0, column));
      move(runningVariance, column, variance.get(0, column) * unbiased);
    }
  }

  private void move(Tensor running, long column, double towards) {
    running.set(0, column, (1 - momentum) * running.get(0, column) + momentum * towards);
  }

  /** The running averages are only checked. */
  private void train(Tensor x, Tensor y, Tensor mean, Tensor variance, Tensor inverse,
      Tensor runningMean, Tensor runningVariance) {
    Checks.present(x, y, "y");
    boolean heap = parameters.checkOutput(x, y);
    parameters.check(x, x.cols());
    long least = runningMean == null ? 1 : 2;
    if (x.rows() < least) {
      throw new IllegalArgumentException(
          "x is " + x + ": statistics of a batch need at least " + least + " rows");
    }
    Kernel kernel = training.of(x.type(), y.type());
    checkWritten(mean, "mean", x, y);
    checkWritten(inverse, "inverse deviation", x, y);
    Checks.apart(mean, "mean", inverse, "inverse deviation");
    heap |= mean.onHeap() | inverse.onHeap();
    if (variance != null) {
      checkWritten(variance, "variance", x, y);
      Checks.apart(variance, "variance", mean, "mean");
      Checks.apart(variance, "variance", inverse, "inverse deviation");
      heap |= variance.onHeap();
    }
    if (runningMean != null) {
      checkRunning(runningMean, "running mean", x, y, mean, variance, inverse);
      checkRunning(runningVariance, "running variance", x, y, mean, variance, inverse);
      Checks.apart(runningMean, "running mean", runningVariance, "running variance");
    }
    if (x.cols() > 0) {
      run(kernel, x, variance, y, mean, inverse, "inverse deviation", heap);
    }
  }

  private void checkRunning(Tensor t, String name, Tensor x, Tensor y, Tensor mean, Tensor variance,
      Tensor inverse) {
    checkWritten(t, name, x, y);
    Checks.accessible(t, name);
    Checks.apart(t, name, mean, "mean");
    Checks.apart(t, name, variance, "variance");
    Checks.apart(t, name, inverse, "inverse deviation");
  }

  private static void checkStatistic(Tensor t, String name, Tensor x) {
    Objects.requireNonNull(t, name);
    Checks.statistic(t, name, 1, x.cols(), x);
  }

  private void checkWritten(Tensor t, String name, Tensor x, Tensor y) {
    checkStatistic(t, name, x);
    Checks.writable(t, name);
    Checks.apart(t, name, x, "x");
    Checks.apart(t, name, y, "y");
    parameters.checkApart(t, name);
  }

  private void run(Kernel kernel, Tensor x, Tensor variance, Tensor y, Tensor mean, Tensor stat1,
      String stat1Name, boolean heap) {
    int options = parameters.option(x.type());
    try {
      if (parallel == null) {
        kernel.forward(x.segment(), Tensor.segmentOf(variance), parameters.gain, parameters.bias,
            y.segment(), mean.segment(), stat1.segment(), x.rows(), 1, x.cols(), x.cols(),
            x.rowStride(), 0, y.rowStride(), epsilon, 0, x.rows(), options, heap);
      } else {
        parallel.run(new ForwardCall(kernel, x.segment(), Tensor.segmentOf(variance),
            parameters.gain, parameters.bias, y.segment(), mean.segment(), stat1.segment(),
            x.rows(), 1, x.cols(), x.cols(), x.rowStride(), 0, y.rowStride(), epsilon, 0, x.rows(),
            options, heap));
      }
    } catch (IllegalStateException | WrongThreadException e) {
      Checks.accessible(x, "x");
      Checks.accessible(y, "y");
      Checks.accessible(mean, "mean");
      Checks.accessible(variance, "variance");
      Checks.accessible(stat1, stat1Name);
      parameters.checkAccessible();
      throw e;
    }
  }

  /**
   * Takes the gradients of a training step back, with xhat = (x - mean) * inverse.
   *
   * <pre>{@code
   * dBias = sum over rows of dy         dGain = sum over rows of dy * xhat
   * dx    = gain * inverse * (dy - dBias / rows - xhat * dGain / rows)
   * }</pre>
   *
   * @param x what was normalized
   * @param mean as trainingForward saved it
   * @param inverseDeviation as trainingForward saved it
   * @param dx overwritten; may be dy or x, or null if not wanted
   * @param dGain overwritten; null if not wanted
   * @param dBias overwritten; null if not wanted
   */
  public void backward(Tensor dy, Tensor x, Tensor mean, Tensor inverseDeviation, Tensor dx,
      Tensor dGain, Tensor dBias) {
    Checks.present(x, dy, "dy");
    Kernel kernel = backward.of(x.type(), dy.type());
    Checks.shape(dy, "dy", x);
    checkStatistic(mean, "mean", x);
    checkStatistic(inverseDeviation, "inverse deviation", x);
    parameters.check(x, x.cols());
    boolean heap = x.onHeap() | dy.onHeap() | mean.onHeap() | inverseDeviation.onHeap()
        | parameters.onHeap;
    if (dx != null) {
      Checks.like(dx, "dx", x);
      Checks.sameOrApart(dx, "dx", dy, "dy");
      Checks.sameOrApart(dx, "dx", x, "x");
      checkGradient(dx, "dx", mean, inverseDeviation);
      heap |= dx.onHeap();
    }
    if (dGain != null) {
      checkSum(dGain, "dGain", dy, x, mean, inverseDeviation, dx);
      heap |= dGain.onHeap();
    }
    if (dBias != null) {
      checkSum(dBias, "dBias", dy, x, mean, inverseDeviation, dx);
      Checks.apart(dGain, "dGain", dBias, "dBias");
      heap |= dBias.onHeap();
    }
    if (x.rows() == 0 || x.cols() == 0) {
      Parameters.clearGradients(dGain, dBias);
      return;
    }
    long dxStride = dx == null ? 0 : dx.rowStride();
    int options = parameters.option(x.type());
    try {
      if (parallel == null) {
        kernel.backward(dy.segment(), x.segment(), parameters.gain, mean.segment(),
            inverseDeviation.segment(), Tensor.segmentOf(dx), Tensor.segmentOf(dGain),
            Tensor.segmentOf(dBias), x.rows(), 1, x.cols(), x.cols(), dy.rowStride(), x.rowStride(),
            dxStride, epsilon, 0, x.rows(), options, heap);
      } else {
        parallel.run(new BackwardCall(kernel, dy.segment(), x.segment(), parameters.gain,
            mean.segment(), inverseDeviation.segment(), Tensor.segmentOf(dx),
            Tensor.segmentOf(dGain), Tensor.segmentOf(dBias), x.rows(), 1, x.cols(), x.cols(),
            dy.rowStride(), x.rowStride(), dxStride, epsilon, 0, x.rows(), options, heap));
      }
    } catch (IllegalStateException | WrongThreadException e) {
      Checks.accessible(dy, "dy");
      Checks.accessible(x, "x");
      Checks.accessible(mean, "mean");
      Checks.accessible(inverseDeviation, "inverse deviation");
      Checks.accessible(dx, "dx");
      Checks.accessible(dGain, "dGain");
      Checks.accessible(dBias, "dBias");
      parameters.checkAccessible();
      throw e;
    }
  }

  private void checkSum(Tensor t, String name, Tensor dy, Tensor x, Tensor mean, Tensor inverse,
      Tensor dx) {
    checkStatistic(t, name, x);
    Checks.apart(t, name, dy, "dy");
    Checks.apart(t, name, x, "x");
    Checks.apart(t, name, dx, "dx");
    checkGradient(t, name, mean, inverse);
  }

  private void checkGradient(Tensor t, String name, Tensor mean, Tensor inverse) {
    Checks.writable(t, name);
    Checks.apart(t, name, mean, "mean");
    Checks.apart(t, name, inverse, "inverse deviation");
    parameters.checkApart(t, name);
  }

  /** The backend that runs this operator. */
  public Backend backend() {
    return backend;
  }

  /** Options of a {@link BatchNorm}. */
  public static final class Builder extends AffineBuilder<Builder> {
    private double momentum = 0.1;

    private Builder() {}

    /**
     * How far running averages move towards the statistics of a batch. Default 0.1.
     *
     * @throws IllegalArgumentException unless in [0, 1]
     */
    public Builder momentum(double momentum) {
      Checks.require(momentum >= 0 && momentum <= 1, "momentum is %s, not in [0, 1]", momentum);
      this.momentum = momentum;
      return this;
    }

    /**
     * The operator.
     *
     * @throws IllegalArgumentException if the options contradict each other
     * @throws IllegalStateException as {@link Panorm#backend}, unless it is built for a backend
     */
    public BatchNorm build() {
      return new BatchNorm(this);
    }
  }
}
