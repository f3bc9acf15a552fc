package dev.panorm.internal;

/** An operator for a pair of element types on one backend. Arguments have been checked. */
public sealed interface Kernel permits JavaKernel, NativeKernel {
  /** The operator. */
  Op op();

  /** The type of x and dx. */
  Element x();

  /** The type of y and dy. */
  Element y();

  /** Normalizes. */
  void forward(ForwardCall call);

  /** Takes gradients back. */
  void backward(BackwardCall call);

  /** The kernel in Java; null if the operator does not exist for these types. */
  static Kernel inJava(Op op, Element x, Element y) {
    return op.supports(x, y) ? new JavaKernel(op, x, y) : null;
  }
}
