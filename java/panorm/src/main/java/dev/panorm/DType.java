package dev.panorm;

import dev.panorm.internal.Element;

/** The type of a tensor's elements. */
public enum DType {
  /** IEEE binary32, Java's {@code float}. */
  F32(Element.F32),
  /** IEEE binary64, Java's {@code double}. */
  F64(Element.F64),
  /** IEEE binary16, as {@link Float#float16ToFloat} reads it. */
  F16(Element.F16),
  /** bfloat16: the upper half of a binary32. */
  BF16(Element.BF16),
  /** Signed byte: quantized output, with one scale a row. */
  I8(Element.I8);

  final Element element;

  DType(Element element) {
    this.element = element;
  }

  /** The size of an element in bytes. */
  public long byteSize() {
    return element.size;
  }
}
