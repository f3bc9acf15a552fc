package dev.panorm.paper.nn;

/** {@code norm(x * transpose(w))}: summed inputs, normalized; equation 5 of the paper without f. */
public final class Linear {
  private final Value w;
  private final Norm norm;
  private Tape tape;
  private Value weights;

  /** A layer with a bias, which is the norm's. */
  public Linear(Parameters parameters, String name, int in, int out, Init init, NormSpec norm) {
    this(parameters, name, in, out, init, norm, true);
  }

  /** A layer with or without a bias. */
  public Linear(Parameters parameters, String name, int in, int out, Init init, NormSpec norm,
      boolean bias) {
    this.w = parameters.create(name, out, in, init);
    this.norm = norm.createFor(parameters, name, w, bias);
  }

  /** One row of outputs for each row of inputs. */
  public Value apply(Tape on, Value x) {
    if (tape != on) {
      tape = on;
      weights = norm.weights(on, w); // once, however many steps a sequence has
    }
    return norm.apply(on, on.linear(x, weights));
  }
}
