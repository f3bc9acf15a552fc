package dev.panorm;

import dev.panorm.internal.Options;

/** How epsilon keeps the root of an {@link RmsNorm} away from zero. */
public enum EpsilonMode {
  /** sqrt(mean square + epsilon): what nearly all models use, ONNX's and PyTorch's operator too. */
  INSIDE(Options.EPSILON_INSIDE),
  /** RMS + epsilon: the module that the paper's authors published. */
  OUTSIDE(Options.EPSILON_OUTSIDE),
  /** max(RMS, epsilon). */
  FLOOR(Options.EPSILON_FLOOR);

  final int option;

  EpsilonMode(int option) {
    this.option = option;
  }
}
