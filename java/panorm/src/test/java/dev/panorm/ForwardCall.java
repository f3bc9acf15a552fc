package dev.panorm;

import dev.panorm.internal.Element;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A call of a forward kernel.
 *
 * @param padding what each stride has more than a row, in elements
 */
record ForwardCall(KernelId id, Choice choice, Shape shape, Values values,
    Values parameterValues) implements KernelCall {

  /** What a kernel can be asked for, as panorm.h lists it. {@link #all} is every combination. */
  record Choice(int options, boolean gain, boolean bias, boolean statistics, boolean partial,
      double epsilon, double gainOffset) {

    private static final List<Integer> EPSILON_MODES = List.of(Options.EPSILON_INSIDE,
        Options.EPSILON_OUTSIDE, Options.EPSILON_FLOOR);
    private static final List<Integer> AUX = List.of(Options.AUX_NONE, Options.AUX_ADD,
        Options.AUX_GATE);
    private static final List<Integer> LAYOUTS = List.of(Options.GAIN_PER_COLUMN,
        Options.GAIN_SHARED, Options.GAIN_PER_GROUP, Options.GAIN_PER_ROW);
    private static final List<Integer> ROUNDING = List.of(0, Options.ROUND_BEFORE_GAIN);
    private static final List<Integer> GAIN_TYPES = List.of(0, Options.GAIN_F32);
    private static final List<Boolean> BOTH = List.of(false, true);
    private static final double[] EPSILONS = {0, 1e-12, 1e-5, 0.1};

    /** Epsilon takes turns; what has no meaning for the kernel is left out. */
    static List<Choice> all(KernelId id) {
      List<Choice> all = new ArrayList<>();
      for (int epsilonMode : EPSILON_MODES) {
        for (int aux : AUX) {
          for (int layout : LAYOUTS) {
            for (int rounding : id.x().byteSize() == 2 ? ROUNDING : ROUNDING.subList(0, 1)) {
              for (int gainType : id.x() == DType.F32 ? GAIN_TYPES.subList(0, 1) : GAIN_TYPES) {
                int options = epsilonMode | aux | layout | rounding | gainType;
                addParameters(all, id, options);
              }
            }
          }
        }
      }
      return all;
    }

    private static void addParameters(List<Choice> all, KernelId id, int options) {
      for (boolean gain : BOTH) {
        for (boolean bias : BOTH) {
          for (boolean statistics : BOTH) {
            for (boolean partial : id.op() == Op.RMS_NORM ? BOTH : BOTH.subList(0, 1)) {
              for (double offset : gain ? new double[] {0, 1} : new double[] {0}) {
                double epsilon = EPSILONS[all.size() % EPSILONS.length];
                all.add(new Choice(options, gain, bias, statistics, partial, epsilon, offset));
              }
            }
          }
        }
      }
    }
  }

  /** Sizes, and where the memory is. */
  record Shape(long rows, long groups, long width, long span, double divisor, int[] padding,
      int misalignment, boolean inPlace) {

    private static final int[] PADDING = {0, 0, 1, 7, 64};

    /** Rows of one width; all else is drawn. */
    static Shape draw(long width, long maxRows, long maxGroups, RandomGenerator random) {
      int[] padding = new int[3];
      Arrays.setAll(padding, i -> PADDING[random.nextInt(PADDING.length)]);
      long span = 1 + random.nextLong(width);
      return new Shape(1 + random.nextLong(maxRows), 1 + random.nextLong(maxGroups), width, span,
          random.nextInt(4) == 0 ? width * 1.5 : 0, padding, random.nextInt(17),
          random.nextInt(4) == 0);
    }

    @Override
    public String toString() {
      return "rows=%d groups=%d width=%d span=%d divisor=%s padding=%s misalignment=%d inPlace=%s"
          .formatted(rows, groups, width, span, divisor, Arrays.toString(padding), misalignment,
              inPlace);
    }
  }

  private static final int X = 0;
  private static final int AUX = 1;
  private static final int GAIN = 2;
  private static final int BIAS = 3;
  private static final int Y = 4;
  private static final int STAT0 = 5;
  private static final int STAT1 = 6;

  /** Partial RMSNorm uses the shape's span, all else the whole width. */
  private long span() {
    return choice.partial ? shape.span : shape.width;
  }

  private boolean inPlace() {
    return shape.inPlace && id.x() == id.y();
  }

  private boolean has(int option) {
    return (choice.options & option) != 0;
  }

  private long stride(int i) {
    return shape.groups * shape.width + shape.padding[i];
  }

  @Override
  public int misalignment() {
    return shape.misalignment;
  }

  @Override
  public List<Argument> arguments() {
    long columns = shape.groups * shape.width;
    Argument[] a = new Argument[STAT1 + 1];
    a[X] = new Argument("x", id.x().element, shape.rows, columns, stride(0), values);
    if (has(Options.AUX_ADD) || has(Options.AUX_GATE)) {
      Values auxValues = values == Values.ONE_NAN ? Values.NORMAL : values;
      a[AUX] = new Argument("aux", id.x().element, shape.rows, columns, stride(1), auxValues);
    }
    Element parameter = has(Options.GAIN_F32) ? Element.F32 : id.x().element;
    long length = switch (choice.options & Options.GAIN_PER_ROW) {
      case Options.GAIN_PER_COLUMN -> columns;
      case Options.GAIN_SHARED -> shape.width;
      case Options.GAIN_PER_GROUP -> shape.groups;
      default -> shape.rows;
    };
    if (choice.gain) {
      a[GAIN] = Argument.vector("gain", parameter, length, parameterValues);
    }
    if (choice.bias) {
      a[BIAS] = Argument.vector("bias", parameter, length, parameterValues);
    }
    if (!inPlace()) {
      a[Y] = new Argument("y", id.y().element, shape.rows, columns, stride(2), null);
    }
    Element statistic = id.x() == DType.F64 ? Element.F64 : Element.F32;
    if (choice.statistics) {
      a[STAT0] = Argument.vector("stat0", statistic, shape.rows * shape.groups, null);
    }
    if (choice.statistics || id.y() == DType.I8) {
      a[STAT1] = Argument.vector("stat1", statistic, shape.rows * shape.groups, null);
    }
    return Arrays.asList(a);
  }

  @Override
  public void run(Kernel kernel, MemorySegment[] memory, boolean heap) {
    new dev.panorm.internal.ForwardCall(kernel, memory[X], memory[AUX], memory[GAIN], memory[BIAS],
        inPlace() ? memory[X] : memory[Y], memory[STAT0], memory[STAT1], shape.rows, shape.groups,
        shape.width, span(), stride(0), stride(1), inPlace() ? stride(0) : stride(2),
        choice.epsilon, choice.gainOffset, shape.divisor == 0 ? span() : shape.divisor,
        choice.options, heap).run();
  }
}
