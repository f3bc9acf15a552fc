package dev.panorm.paper.nn;

/** A norm as a layer: of a layer's weights, or of what they sum up to. */
public interface Norm {
  /** The weights that a layer shall use in place of w. */
  default Value weights(Tape tape, Value w) {
    return w;
  }

  /** Normalizes each row, multiplies by the gain and adds the bias, if it has one. */
  Value apply(Tape tape, Value x);

  /**
   * No norm: the paper's baseline.
   *
   * @param bias null for none
   */
  record None(Value bias) implements Norm {
    @Override
    public Value apply(Tape tape, Value x) {
      return bias == null ? x : tape.addBias(x, bias);
    }
  }
}
