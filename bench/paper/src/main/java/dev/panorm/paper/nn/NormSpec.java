package dev.panorm.paper.nn;

import dev.panorm.paper.BadInput;

/**
 * Which norm a model has: the one argument in which the models of an experiment differ.
 *
 * @param kind the norm
 * @param style how it is computed
 */
public record NormSpec(NormKind kind, Style style) {
  /** No norm. */
  public static final NormSpec NONE = new NormSpec(NormKind.NONE, Style.FUSED);

  /** Two ways to compute the same norm. */
  public enum Style {
    /** By Panorm: one kernel forward and one backward. */
    FUSED,
    /**
     * Operation by operation, each a pass over memory with its own way back, as the paper's
     * frameworks did: for the norms over rows.
     */
    OP_BY_OP
  }

  /** Whether there is such a form. */
  public boolean exists() {
    return style == Style.FUSED || switch (kind) {
      case LAYER_NORM, RMS_NORM, P_RMS_NORM, L2_NORM -> true;
      case NONE, BATCH_NORM, WEIGHT_NORM -> false;
    };
  }

  /** The norm's name, and the style unless it is Panorm's. */
  public String label() {
    return style == Style.FUSED ? kind.label() : kind.label() + ", op by op";
  }

  /**
   * A norm of activations of some width, with a gain and, if asked for, a bias of its own.
   *
   * @param name of its parameters
   * @throws BadInput for WeightNorm, which needs a {@link Linear}
   */
  public Norm create(Parameters parameters, String name, int width, boolean bias) {
    Value b = bias ? parameters.create(name + ".bias", 1, width, Init.constant(0)) : null;
    if (kind == NormKind.NONE) {
      return new Norm.None(b);
    }
    if (kind == NormKind.WEIGHT_NORM) {
      throw new BadInput("WeightNorm normalizes weights, not activations");
    }
    Value gain = parameters.create(name + ".gain", 1, width, Init.constant(1));
    if (style == Style.OP_BY_OP) {
      return new OpByOpNorm(kind, gain, b);
    }
    return switch (kind) {
      case LAYER_NORM -> new PanormNorms.Layer(gain, b);
      case RMS_NORM -> new PanormNorms.Rms(gain, b, 1);
      case P_RMS_NORM -> new PanormNorms.Rms(gain, b, NormKind.PARTIAL);
      case L2_NORM -> new PanormNorms.L2(gain, b);
      case BATCH_NORM -> new PanormNorms.Batch(gain, b, parameters.buffer(1, width, 0),
          parameters.buffer(1, width, 1));
      case NONE, WEIGHT_NORM -> throw new AssertionError(kind);
    };
  }

  /** The norm of the summed inputs {@code x * transpose(w)} of a layer. */
  Norm createFor(Parameters parameters, String name, Value w, boolean bias) {
    if (kind != NormKind.WEIGHT_NORM) {
      return create(parameters, name, w.rows(), bias);
    }
    // The first lengths are those of w: training starts from the same weights as without a norm.
    Value lengths = parameters.create(name + ".gain", w.rows(), 1, Init.constant(0));
    for (int r = 0; r < w.rows(); r++) {
      double square = Loops.dot(w.data(), (long) r * w.cols(), w.data(), (long) r * w.cols(),
          w.cols());
      Loops.set(lengths.data(), r, (float) Math.sqrt(square));
    }
    Value b = bias ? parameters.create(name + ".bias", 1, w.rows(), Init.constant(0)) : null;
    return new PanormNorms.Weight(lengths, b);
  }
}
