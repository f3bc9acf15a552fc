package dev.panorm;

import dev.panorm.internal.Options;
import java.lang.foreign.MemorySegment;

/** Gain and bias of an operator, either of which may be absent: of one length and one type. */
final class Parameters {
  final MemorySegment gain;
  final MemorySegment bias;
  final double gainOffset;
  final boolean onHeap;

  private final Tensor gainTensor;
  private final Tensor biasTensor;

  /** Of both; null if neither is there. */
  private final DType type;

  private final long length;

  /** Addresses around both; around everything if either is on the heap. */
  private final long from;

  private final long to;

  Parameters(NormBuilder<?> b) {
    if (b.gain == null) {
      Checks.require(b.gainOffset == 0, "A gain offset of %s needs a gain", b.gainOffset);
    }
    Checks.require(!b.roundBeforeGain || (b.gain != null && b.gain.type() != DType.F64),
        "Rounding before the gain needs a gain of F16, BF16 or F32, not %s", b.gain);
    if (b.gain != null && b.bias != null) {
      Checks.require(b.gain.cols() == b.bias.cols() && b.gain.type() == b.bias.type(),
          "gain is %s, but bias is %s", b.gain, b.bias);
    }
    Tensor any = b.gain != null ? b.gain : b.bias;
    gainTensor = b.gain;
    biasTensor = b.bias;
    gain = Tensor.segmentOf(gainTensor);
    bias = Tensor.segmentOf(biasTensor);
    gainOffset = b.gainOffset;
    onHeap = (gainTensor != null && gainTensor.onHeap())
        || (biasTensor != null && biasTensor.onHeap());
    type = any == null ? null : any.type();
    // Where one is absent it is the other.
    MemorySegment one = gainTensor != null ? gain : bias;
    MemorySegment other = biasTensor != null ? bias : gain;
    from = onHeap ? Long.MIN_VALUE : Math.min(one.address(), other.address());
    to = onHeap
        ? Long.MAX_VALUE
        : Math.max(one.address() + one.byteSize(), other.address() + other.byteSize());
    length = any == null ? 0 : any.rows() * any.cols();
  }

  /** @param needed how many elements x meets */
  void check(Tensor x, long needed) {
    if (type != null && (length != needed || (type != x.type() && type != DType.F32))) {
      throw mismatch(x, needed);
    }
  }

  private IllegalArgumentException mismatch(Tensor x, long needed) {
    String types = x.type() == DType.F32 ? "F32" : x.type() + " or F32";
    String name = gainTensor != null ? "gain" : "bias";
    return new IllegalArgumentException("x (" + x + ") meets " + needed + " elements of " + name
        + " in " + types + ", but that is " + (gainTensor != null ? gainTensor : biasTensor));
  }

  /**
   * What every forward call checks, whatever else it has.
   *
   * @return whether any of them is on the heap
   */
  boolean checkOutput(Tensor x, Tensor y) {
    Checks.shape(y, "y", x);
    Checks.writable(y, "y");
    Checks.sameOrApart(y, "y", x, "x");
    checkApart(y, "y");
    return x.onHeap() | y.onHeap() | onHeap;
  }

  void checkApart(Tensor output, String name) {
    if (!output.isOutside(from, to)) {
      Checks.apart(gainTensor, "gain", output, name);
      Checks.apart(biasTensor, "bias", output, name);
    }
  }

  /** Their gradients over no rows: 0, if they are wanted. */
  static void clearGradients(Tensor dGain, Tensor dBias) {
    Checks.accessible(dGain, "dGain");
    Checks.accessible(dBias, "dBias");
    Tensor.clear(dGain);
    Tensor.clear(dBias);
  }

  void checkAccessible() {
    Checks.accessible(gainTensor, "gain");
    Checks.accessible(biasTensor, "bias");
  }

  /** What a kernel for such an x is to be told. */
  int option(DType x) {
    return type == DType.F32 && x != DType.F32 ? Options.GAIN_F32 : 0;
  }
}
