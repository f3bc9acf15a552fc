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
    int layout = options & Options.GAIN_MASK;
    boolean rowsAddUp = layout != Options.GAIN_PER_ROW;
    if (rowsAddUp && (Pieces.present(dGain) || Pieces.present(dBias))) {
      boolean byColumns = groups == 1 && layout != Options.GAIN_PER_GROUP;
      Pieces.ofColumns(width, byColumns ? parts : 1,
          (from, to, pieces) -> sums.add(columns(from, to, MemorySegment.NULL, pieces)));
    }
    if (!rowsAddUp || Pieces.present(dx)) {
      Pieces.ofRows(rows, parts,
          (from, to, pieces) -> calls.add(rows(from, to, !rowsAddUp, pieces)));
    }
    return List.of(sums, calls);
  }

  private BackwardCall rows(long from, long to, boolean sums, long pieces) {
    Element element = kernel.x();
    Element statistic = Element.statisticOf(element);
    return new BackwardCall(kernel, Pieces.at(dy, from * dyStride, kernel.y()),
        Pieces.at(x, from * xStride, element), Pieces.parameterAt(gain, from, element, options),
        Pieces.at(stat0, from * groups, statistic), Pieces.at(stat1, from * groups, statistic),
        Pieces.at(dx, from * dxStride, element),
        sums ? Pieces.at(dGain, from, statistic) : MemorySegment.NULL,
        sums ? Pieces.at(dBias, from, statistic) : MemorySegment.NULL, to - from, groups, width,
        span, dyStride, xStride, dxStride, epsilon, gainOffset, divisor,
        Options.ofPart(options, pieces), heap);
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
