package dev.panorm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A view of memory as {@code rows} rows of {@code cols} contiguous elements, one row every {@code
 * rowStride} elements. A vector (a gain, a bias) is a tensor of one row.
 *
 * <p>The memory belongs to whoever made it: an arena, a Java array, a mapped file (which must not
 * shrink while it is used: native code that reads past its end takes the process down). A tensor is
 * immutable and may be shared between threads as far as its segment may; writing the same memory
 * from two threads is the caller's to avoid. Operators of more axes see them as two: the leading
 * ones as rows, the normalized (trailing) ones as columns.
 */
public final class Tensor {
  /** Alignment of {@linkplain #allocate allocated} tensors: a cache line, or a 512-bit register. */
  private static final long ALIGNMENT = 64;

  private static final Object NATIVE = "native";

  /** A read-only view of an array, which does not tell of which. */
  private static final Object UNKNOWN = "unknown";

  private final MemorySegment segment;
  private final DType type;
  private final long rows;
  private final long cols;
  private final long rowStride;

  /** What {@link #address} is relative to: an array, NATIVE or UNKNOWN. */
  private final Object base;

  private final long address;
  private final long byteSize;
  private final long end;
  private final boolean readOnly;

  private Tensor(MemorySegment segment, DType type, long rows, long cols, long rowStride) {
    Objects.requireNonNull(segment, "segment");
    this.type = type;
    long bytes = byteSize(type, rows, cols, rowStride);
    if (bytes > 0 && segment.isNative() && segment.address() == 0) {
      throw new IllegalArgumentException(
          "Segment of " + segment.byteSize() + " bytes at address 0");
    }
    if (bytes > segment.byteSize()) {
      throw new IndexOutOfBoundsException(
          "%d x %d %s with row stride %d take %d bytes, but the segment has %d".formatted(rows,
              cols, type, rowStride, bytes, segment.byteSize()));
    }
    if (type.byteSize() > segment.maxByteAlignment()) {
      throw new IllegalArgumentException(
          "Segment is aligned to %d bytes (a Java array to its elements' size at most), but %s needs %d bytes"
              .formatted(segment.maxByteAlignment(), type, type.byteSize()));
    }
    this.segment = segment.asSlice(0, bytes);
    this.byteSize = bytes;
    this.rows = rows;
    this.cols = cols;
    this.rowStride = rowStride;
    this.base = segment.isNative() ? NATIVE : segment.heapBase().orElse(UNKNOWN);
    this.address = segment.address();
    this.end = address + bytes;
    this.readOnly = segment.isReadOnly();
  }

  /** Bytes from the first element to the last; refuses what is no shape or does not fit a long. */
  private static long byteSize(DType type, long rows, long cols, long rowStride) {
    Objects.requireNonNull(type, "type");
    if (rows < 0 || cols < 0) {
      throw new IllegalArgumentException("Negative shape: " + rows + " x " + cols);
    }
    if (rows > 1 && rowStride < cols) {
      throw new IllegalArgumentException(
          "Row stride " + rowStride + " is less than the " + cols + " columns of a row");
    }
    if (rows == 0 || cols == 0) {
      return 0;
    }
    try {
      long elements = Math.addExact(Math.multiplyExact(rows - 1, rows > 1 ? rowStride : 0), cols);
      return Math.multiplyExact(elements, type.byteSize());
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("%d x %d %s with row stride %d overflow a 64-bit size"
          .formatted(rows, cols, type, rowStride));
    }
  }

  /**
   * A new off-heap tensor, zeroed, contiguous, aligned to 64 bytes, freed with its arena.
   *
   * @throws IllegalArgumentException if a size is negative or the whole overflows
   */
  public static Tensor allocate(Arena arena, DType type, long rows, long cols) {
    Objects.requireNonNull(arena, "arena");
    long bytes = byteSize(type, rows, cols, cols);
    return new Tensor(arena.allocate(bytes, ALIGNMENT), type, rows, cols, cols);
  }

  /** Wraps contiguous rows at the start of a segment; see {@link #ofSegment(MemorySegment, DType,
   * long, long, long)}. */
  public static Tensor ofSegment(MemorySegment segment, DType type, long rows, long cols) {
    return new Tensor(segment, type, rows, cols, cols);
  }

  /**
   * Wraps rows at the start of a segment, off-heap or on, without a copy. Elements are in native
   * byte order. A Java array is aligned to the size of its own elements at most: F32 needs a float[],
   * int[], long[] or double[].
   *
   * @param rowStride distance from one row to the next in elements, at least {@code cols} if there
   *     are two rows or more
   * @throws IllegalArgumentException if a size is negative, the stride less than a row, the whole
   *     overflows, or the segment is at address 0 or not aligned to the element size
   * @throws IndexOutOfBoundsException if the segment is too small
   */
  public static Tensor ofSegment(MemorySegment segment, DType type, long rows, long cols,
      long rowStride) {
    return new Tensor(segment, type, rows, cols, rowStride);
  }

  /** A vector: all of an array as one row of {@link DType#F32}, without a copy. */
  public static Tensor ofArray(float... elements) {
    Objects.requireNonNull(elements, "elements");
    return ofArray(elements, 0, 1, elements.length);
  }

  /** All of an array as one row of {@link DType#F64}, without a copy. */
  public static Tensor ofArray(double... elements) {
    Objects.requireNonNull(elements, "elements");
    return ofSegment(MemorySegment.ofArray(elements), DType.F64, 1, elements.length);
  }

  /**
   * Contiguous rows of {@link DType#F32} in an array from element {@code offset} on, without a
   * copy. Arrays of other types go by way of {@link MemorySegment#ofArray(short[])} and {@link
   * #ofSegment(MemorySegment, DType, long, long)}.
   *
   * @throws IllegalArgumentException if a size is negative
   * @throws IndexOutOfBoundsException if the array is too small
   */
  public static Tensor ofArray(float[] array, int offset, long rows, long cols) {
    Objects.requireNonNull(array, "array");
    Objects.checkIndex(offset, array.length + 1);
    MemorySegment segment = MemorySegment.ofArray(array).asSlice(offset * 4L);
    return new Tensor(segment, DType.F32, rows, cols, cols);
  }

  /** One row, as a tensor of one row on the same memory. */
  public Tensor row(long row) {
    Objects.checkIndex(row, rows);
    return rows(row, 1);
  }

  /**
   * {@code count} rows from row {@code from} on, on the same memory.
   *
   * @throws IndexOutOfBoundsException if there are not as many
   */
  public Tensor rows(long from, long count) {
    Objects.checkFromIndexSize(from, count, rows);
    return view(cols == 0 || count == 0 ? 0 : from * rowStride, count, cols);
  }

  /**
   * {@code count} columns from column {@code from} on, of all rows, on the same memory.
   *
   * @throws IndexOutOfBoundsException if there are not as many
   */
  public Tensor columns(long from, long count) {
    Objects.checkFromIndexSize(from, count, cols);
    return view(rows == 0 || count == 0 ? 0 : from, rows, count);
  }

  private Tensor view(long element, long newRows, long newCols) {
    MemorySegment from = segment.asSlice(element * type.byteSize());
    return new Tensor(from, type, newRows, newCols, rowStride);
  }

  /** The number of rows. */
  public long rows() {
    return rows;
  }

  /** The number of columns: elements in a row. */
  public long cols() {
    return cols;
  }

  /** The distance from one row to the next in elements. */
  public long rowStride() {
    return rowStride;
  }

  /** The type of the elements. */
  public DType type() {
    return type;
  }

  /** The memory from the first element to the last, gaps between rows included. */
  public MemorySegment segment() {
    return segment;
  }

  /** Whether the rows follow each other without gaps. */
  public boolean isContiguous() {
    return rows <= 1 || rowStride == cols;
  }

  /**
   * An element, widened exactly. For looking at results: no fast way to read many.
   *
   * @throws IndexOutOfBoundsException if there is none
   */
  public double get(long row, long col) {
    return type.element.get(segment, index(row, col));
  }

  /**
   * Stores a value, rounded to the nearest element, ties to even; in {@link DType#I8} what is beyond
   * its range becomes the nearest end of it, and a NaN 0.
   *
   * @throws IllegalArgumentException if the memory is read-only
   * @throws IndexOutOfBoundsException if there is no such element
   */
  public void set(long row, long col, double value) {
    type.element.set(segment, index(row, col), value);
  }

  private long index(long row, long col) {
    return Objects.checkIndex(row, rows) * rowStride + Objects.checkIndex(col, cols);
  }

  /** Shape and type: {@code 2 x 768 F32}, with the stride if there are gaps. */
  @Override
  public String toString() {
    String shape = rows + " x " + cols + " " + type;
    return isContiguous() ? shape : shape + " (row stride " + rowStride + ")";
  }

  /** The memory as kernels take it: an absent tensor has none. */
  static MemorySegment segmentOf(Tensor t) {
    return t == null ? MemorySegment.NULL : t.segment;
  }

  static long strideOf(Tensor t) {
    return t == null ? 0 : t.rowStride;
  }

  /** Zeros all rows of a contiguous tensor; null is none. */
  static void clear(Tensor t) {
    if (t != null) {
      t.segment.fill((byte) 0);
    }
  }

  boolean onHeap() {
    return base != NATIVE;
  }

  boolean readOnly() {
    return readOnly;
  }

  /** Whether both are the same elements at the same places. */
  boolean sameMemory(Tensor other) {
    return base == other.base && base != UNKNOWN && address == other.address
        && type.byteSize() == other.type.byteSize() && (rows <= 1 || rowStride == other.rowStride);
  }

  /** Whether it is off the heap, and not between these addresses. */
  boolean isOutside(long from, long to) {
    return base == NATIVE && (end <= from || to <= address);
  }

  /**
   * Whether the memory of one, gaps between its rows included, meets that of the other; not if both
   * are columns of the same wider rows, apart there.
   */
  boolean overlaps(Tensor other) {
    // The usual answer first, small enough to be inlined.
    return (base != other.base || (end > other.address && other.end > address))
        && mayOverlap(other);
  }

  private boolean mayOverlap(Tensor other) {
    if (base == UNKNOWN || other.base == UNKNOWN) {
      return segment.asOverlappingSlice(other.segment).isPresent();
    }
    if (base != other.base) {
      return false;
    }
    long stride = rowStride * type.byteSize();
    if (rows <= 1 || other.rows <= 1 || stride != other.rowStride * other.type.byteSize()) {
      return byteSize > 0 && other.byteSize > 0;
    }
    // Columns of the same wider rows: apart if they are apart within a row.
    long behind = Math.floorMod(other.address - address, stride);
    return behind < cols * type.byteSize() || stride - behind < other.cols * other.type.byteSize();
  }
}
