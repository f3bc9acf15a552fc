package dev.panorm.internal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments of a backward kernel: those of panorm.h, where they are explained. An absent one is
 * {@link MemorySegment#NULL}.
 *
 * @param heap whether any of the segments is on the Java heap
 */
public record BackwardCall(Kernel kernel, MemorySegment dy, MemorySegment x, MemorySegment gain,
    MemorySegment stat0, MemorySegment stat1, MemorySegment dx, MemorySegment dGain,
    MemorySegment dBias, long rows, long groups, long width, long span, long dyStride, long xStride,
    long dxStride, double epsilon, double gainOffset, double divisor, int options,
    boolean heap) implements Runnable {

  @Override
  public void run() {
    kernel.backward(dy, x, gain, stat0, stat1, dx, dGain, dBias, rows, groups, width, span,
        dyStride, xStride, dxStride, epsilon, gainOffset, divisor, options, heap);
  }

  /** How many elements x has. */
  public long elements() {
    return rows * groups * width;
  }

  /**
   * Steps to be taken in order, each of at most {@code parts} calls in any order, that do together
   * what this call does, with the same bits. The gradients of gain and bias, which add up the rows
   * and so are cut by columns, come first: dx may overwrite dy or x.
   *
   * @throws IllegalArgumentException if rows are too wide, which parts of their columns are not
   * @throws IllegalStateException if dx is closed, which the first step would not see
   * @throws WrongThreadException if dx is another thread's
   */
  public List<List<BackwardCall>> cut(long parts) {
    Pieces.requireAccess(dx);
    kernel.requireWidth(width);
    List<BackwardCall> calls = new ArrayList<>();
    if (kernel.op().overRows()) {
      Pieces.ofColumns(width, parts,
          (from, to, pieces) -> calls.add(columns(from, to, dx, pieces)));
      return List.of(calls);
    }
    List<BackwardCall> sums = new ArrayList<>();
    if (addsUpRows()) {
      Pieces.ofColumns(width, columnsAreApart() ? parts : 1,
          (from, to, pieces) -> sums.add(columns(from, to, MemorySegment.NULL, pieces)));
    }
    if (perRow() || Pieces.present(dx)) {
      Pieces.ofRows(rows, parts, (from, to, pieces) -> calls.add(rows(from, to, perRow(), pieces)));
    }
    return List.of(sums, calls);
  }

  /**
   * Calls that do together, one after the other, what this call does, with the same bits: each of at
   * most so many elements, but no less than a row or 64 columns; or of 16 rows, if these are no more
   * than four times as many elements, or their gradients cannot be cut by columns. So dx and the
   * gradients of gain and bias are taken in one walk.
   */
  public List<BackwardCall> cutInOrder(long elements) {
    long parts = Math.ceilDiv(elements(), elements);
    long block = RowBackward.ROW_BLOCK * groups * width;
    if (!addsUpRows() || (columnsAreApart() && block > 4 * elements)) {
      return cut(parts).stream().flatMap(List::stream).toList();
    }
    List<BackwardCall> calls = new ArrayList<>();
    Pieces.ofRowBlocks(rows, parts, (from, to, pieces) -> calls.add(rows(from, to, true, pieces)));
    return calls;
  }

  private boolean perRow() {
    return Options.perRow(options);
  }

  /** Whether there are gradients of gain or bias that all rows are added to. */
  private boolean addsUpRows() {
    return !kernel.op().overRows() && !perRow() && (Pieces.present(dGain) || Pieces.present(dBias));
  }

  /** Whether each element of these gradients is of one column. */
  private boolean columnsAreApart() {
    return groups == 1 && (options & Options.GAIN_MASK) != Options.GAIN_PER_GROUP;
  }

  private BackwardCall rows(long from, long to, boolean sums, long pieces) {
    Element element = kernel.x();
    Element statistic = Element.statisticOf(element);
    long fromSum = perRow() ? from : 0;
    int adding = sums && !perRow() && from > 0 ? Options.ADD_GRADIENTS : 0;
    return new BackwardCall(kernel, Pieces.at(dy, from * dyStride, kernel.y()),
        Pieces.at(x, from * xStride, element), Pieces.parameterAt(gain, from, element, options),
        Pieces.at(stat0, from * groups, statistic), Pieces.at(stat1, from * groups, statistic),
        Pieces.at(dx, from * dxStride, element),
        sums ? Pieces.at(dGain, fromSum, statistic) : MemorySegment.NULL,
        sums ? Pieces.at(dBias, fromSum, statistic) : MemorySegment.NULL, to - from, groups, width,
        span, dyStride, xStride, dxStride, epsilon, gainOffset, divisor,
        Options.ofPart(options, pieces) | adding, heap);
  }

  private BackwardCall columns(long from, long to, MemorySegment dxOrNull, long pieces) {
    Element element = kernel.x();
    Element statistic = Element.statisticOf(element);
    long fromStatistic = kernel.op().overRows() ? from : 0; // else there is one a row
    return new BackwardCall(kernel, Pieces.at(dy, from, kernel.y()), Pieces.at(x, from, element),
        Pieces.at(gain, from, Pieces.parameterType(element, options)),
        Pieces.at(stat0, fromStatistic, statistic), Pieces.at(stat1, fromStatistic, statistic),
        Pieces.at(dxOrNull, from, element), Pieces.at(dGain, from, statistic),
        Pieces.at(dBias, from, statistic), rows, groups, to - from, Math.min(span, to - from),
        dyStride, xStride, dxStride, epsilon, gainOffset, divisor, Options.ofPart(options, pieces),
        heap);
  }
}
