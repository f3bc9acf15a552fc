package dev.panorm.paper.nn;

import dev.panorm.BatchNorm;
import dev.panorm.L2Norm;
import dev.panorm.LayerNorm;
import dev.panorm.RmsNorm;
import dev.panorm.Tensor;
import dev.panorm.WeightNorm;

/** The norms by Panorm's operators. */
final class PanormNorms {
  private static final double EPSILON = 1e-5;

  private PanormNorms() {}

  private static Tensor tensor(Value v) {
    return v == null ? null : v.tensor();
  }

  /** Takes a gradient back into all that it wants. */
  @FunctionalInterface
  private interface Backward {
    void run(Tensor dx, Tensor dGain, Tensor dBias);
  }

  /** Runs an operator's backward, which overwrites, and adds what it gives to the gradients. */
  private static void accumulate(Tape tape, Value x, Value gain, Value bias, Backward backward) {
    Tensor dx = tape.scratch(x.rows(), x.cols());
    Tensor dGain = tape.scratch(gain.rows(), gain.cols());
    Tensor dBias = bias == null ? null : tape.scratch(1, bias.cols());
    backward.run(dx, dGain, dBias);
    Loops.add(dx.segment(), x.grad(), x.size());
    Loops.add(dGain.segment(), gain.grad(), gain.size());
    if (bias != null) {
      Loops.add(dBias.segment(), bias.grad(), bias.size());
    }
  }

  static final class Rms implements Norm {
    private final Value gain;
    private final Value bias;
    private final RmsNorm norm;

    Rms(Value gain, Value bias, double partial) {
      this.gain = gain;
      this.bias = bias;
      RmsNorm.Builder builder = RmsNorm.builder(gain.tensor()).epsilon(EPSILON).partial(partial);
      this.norm = (bias == null ? builder : builder.bias(bias.tensor())).build();
    }

    @Override
    public Value apply(Tape tape, Value x) {
      return tape.norm(() -> {
        Value y = tape.allocate(x.rows(), x.cols());
        Tensor inverse = tape.scratch(x.rows(), 1);
        norm.forward(x.tensor(), y.tensor(), inverse);
        tape.record(y, () -> accumulate(tape, x, gain, bias, (dx, dGain, dBias) -> norm
            .backward(y.gradTensor(), x.tensor(), inverse, dx, dGain, dBias)));
        return y;
      });
    }
  }

  static final class Layer implements Norm {
    private final Value gain;
    private final Value bias;
    private final LayerNorm norm;

    Layer(Value gain, Value bias) {
      this.gain = gain;
      this.bias = bias;
      LayerNorm.Builder builder = LayerNorm.builder(gain.tensor()).epsilon(EPSILON);
      this.norm = (bias == null ? builder : builder.bias(bias.tensor())).build();
    }

    @Override
    public Value apply(Tape tape, Value x) {
      return tape.norm(() -> {
        Value y = tape.allocate(x.rows(), x.cols());
        Tensor mean = tape.scratch(x.rows(), 1);
        Tensor inverse = tape.scratch(x.rows(), 1);
        norm.forward(x.tensor(), y.tensor(), mean, inverse);
        tape.record(y, () -> accumulate(tape, x, gain, bias, (dx, dGain, dBias) -> norm
            .backward(y.gradTensor(), x.tensor(), mean, inverse, dx, dGain, dBias)));
        return y;
      });
    }
  }

  static final class L2 implements Norm {
    private final Value gain;
    private final Norm bias;
    private final L2Norm norm;

    L2(Value gain, Value bias) {
      this.gain = gain;
      this.bias = new None(bias);
      this.norm = L2Norm.builder().gain(gain.tensor()).build();
    }

    @Override
    public Value apply(Tape tape, Value x) {
      return tape.norm(() -> {
        Value y = tape.allocate(x.rows(), x.cols());
        Tensor inverse = tape.scratch(x.rows(), 1);
        norm.forward(x.tensor(), y.tensor(), inverse);
        tape.record(y, () -> accumulate(tape, x, gain, null,
            (dx, dGain, none) -> norm.backward(y.gradTensor(), x.tensor(), inverse, dx, dGain)));
        return bias.apply(tape, y);
      });
    }
  }

  static final class Batch implements Norm {
    private final Value gain;
    private final Value bias;
    private final Tensor runningMean;
    private final Tensor runningVariance;
    private final BatchNorm norm;

    Batch(Value gain, Value bias, Tensor runningMean, Tensor runningVariance) {
      this.gain = gain;
      this.bias = bias;
      this.runningMean = runningMean;
      this.runningVariance = runningVariance;
      BatchNorm.Builder builder = BatchNorm.builder(gain.tensor()).epsilon(EPSILON);
      this.norm = (bias == null ? builder : builder.bias(bias.tensor())).build();
    }

    @Override
    public Value apply(Tape tape, Value x) {
      return tape.norm(() -> {
        Value y = tape.allocate(x.rows(), x.cols());
        if (!tape.training()) {
          norm.forward(x.tensor(), y.tensor(), runningMean, runningVariance);
          return y;
        }
        Tensor mean = tape.scratch(1, x.cols());
        Tensor variance = tape.scratch(1, x.cols());
        Tensor inverse = tape.scratch(1, x.cols());
        norm.trainingForward(x.tensor(), y.tensor(), mean, variance, inverse, runningMean,
            runningVariance);
        tape.record(y, () -> accumulate(tape, x, gain, bias, (dx, dGain, dBias) -> norm
            .backward(y.gradTensor(), x.tensor(), mean, inverse, dx, dGain, dBias)));
        return y;
      });
    }
  }

  static final class Weight implements Norm {
    private final Value lengths;
    private final Norm bias;
    private final WeightNorm norm;

    Weight(Value lengths, Value bias) {
      this.lengths = lengths;
      this.bias = new None(bias);
      this.norm = WeightNorm.builder(lengths.tensor()).build();
    }

    @Override
    public Value weights(Tape tape, Value w) {
      return tape.norm(() -> {
        Value y = tape.allocate(w.rows(), w.cols());
        Tensor inverse = tape.scratch(w.rows(), 1);
        norm.forward(w.tensor(), y.tensor(), inverse);
        tape.record(y, () -> accumulate(tape, w, lengths, null,
            (dw, dGain, none) -> norm.backward(y.gradTensor(), w.tensor(), inverse, dw, dGain)));
        return y;
      });
    }

    @Override
    public Value apply(Tape tape, Value x) {
      return bias.apply(tape, x);
    }
  }
}
