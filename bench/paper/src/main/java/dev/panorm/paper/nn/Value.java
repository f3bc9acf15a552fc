package dev.panorm.paper.nn;

import dev.panorm.Tensor;
import java.lang.foreign.MemorySegment;

/** A contiguous f32 matrix with its gradient: what operations of a {@link Tape} take and give. */
public final class Value {
  private final Workspace memory;
  private final Tensor data;
  private final Value whole;
  private final long from;
  private Tensor grad;

  private Value(Workspace memory, Tensor data, Value whole, long from) {
    this.memory = memory;
    this.data = data;
    this.whole = whole;
    this.from = from;
  }

  static Value allocate(Workspace memory, long rows, long cols) {
    return new Value(memory, memory.allocate(rows, cols), null, 0);
  }

  /** Some of the rows, on the same memory, gradient included. */
  public Value rows(long first, long count) {
    return new Value(memory, data.rows(first, count), this, first);
  }

  public int rows() {
    return (int) data.rows();
  }

  public int cols() {
    return (int) data.cols();
  }

  long size() {
    return data.rows() * data.cols();
  }

  /** The elements. */
  public Tensor tensor() {
    return data;
  }

  MemorySegment data() {
    return data.segment();
  }

  /** The gradient, zero at first. */
  public Tensor gradTensor() {
    if (grad == null) {
      grad = whole == null
          ? memory.zeros(data.rows(), data.cols())
          : whole.gradTensor().rows(from, data.rows());
    }
    return grad;
  }

  MemorySegment grad() {
    return gradTensor().segment();
  }

  /** Whether anything has asked for the gradient: if not, the loss does not depend on this. */
  boolean reached() {
    return grad != null || whole != null && whole.reached();
  }
}
