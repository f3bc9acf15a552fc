package dev.panorm.internal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments of a forward kernel: those of panorm.h, where they are explained. An absent one is
 * {@link MemorySegment#NULL}.
 *
 * @param heap whether any of the segments is on the Java heap
 */
public record ForwardCall(Kernel kernel, MemorySegment x, MemorySegment aux, MemorySegment gain,
    MemorySegment bias, MemorySegment y, MemorySegment stat0, MemorySegment stat1, long rows,
    long groups, long width, long span, long xStride, long auxStride, long yStride, double epsilon,
    double gainOffset, double divisor, int options, boolean heap) implements Runnable {

  @Override
  public void run() {
    kernel.forward(x, aux, gain, bias, y, stat0, stat1, rows, groups, width, span, xStride,
        auxStride, yStride, epsilon, gainOffset, divisor, options, heap);
  }

  /** How many elements x has. */
  public long elements() {
    return rows * groups * width;
  }

  /**
   * At most {@code parts} calls that do together what this one does, with the same bits, in any
   * order: each some of the rows, or of the columns where statistics are over the rows. (Where these
   * are given it may be either: the one that makes more calls, or columns.)
   */
  public List<ForwardCall> cut(long parts) {
    List<ForwardCall> calls = new ArrayList<>();
    boolean byColumns = kernel.op() != Op.BATCH_NORM_INFERENCE
        || Math.ceilDiv(width, Pieces.COLUMNS) >= Math.min(rows, parts);
    if (kernel.op().overRows() && byColumns) {
      Pieces.ofColumns(width, parts, (from, to, pieces) -> calls.add(columns(from, to, pieces)));
    } else {
      Pieces.ofRows(rows, parts, (from, to, pieces) -> calls.add(rows(from, to, pieces)));
    }
    return calls;
  }

  private ForwardCall rows(long from, long to, long pieces) {
    Element element = kernel.x();
    Element statistic = Element.statisticOf(element);
    long fromStatistic = kernel.op().overRows() ? 0 : from * groups; // there is one a column
    return new ForwardCall(kernel, Pieces.at(x, from * xStride, element),
        Pieces.at(aux, from * auxStride, element), Pieces.parameterAt(gain, from, element, options),
        Pieces.parameterAt(bias, from, element, options), Pieces.at(y, from * yStride, kernel.y()),
        Pieces.at(stat0, fromStatistic, statistic), Pieces.at(stat1, fromStatistic, statistic),
        to - from, groups, width, span, xStride, auxStride, yStride, epsilon, gainOffset, divisor,
        Options.ofPart(options, pieces), heap);
  }

  private ForwardCall columns(long from, long to, long pieces) {
    Element element = kernel.x();
    Element statistic = Element.statisticOf(element);
    Element parameter = Pieces.parameterType(element, options);
    return new ForwardCall(kernel, Pieces.at(x, from, element), Pieces.at(aux, from, statistic),
        Pieces.at(gain, from, parameter), Pieces.at(bias, from, parameter),
        Pieces.at(y, from, kernel.y()), Pieces.at(stat0, from, statistic),
        Pieces.at(stat1, from, statistic), rows, groups, to - from, to - from, xStride, auxStride,
        yStride, epsilon, gainOffset, divisor, Options.ofPart(options, pieces), heap);
  }
}
