package dev.panorm.bench;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Two sides, one line a shape. */
@Command(name = "duel", mixinStandardHelpOptions = true, sortOptions = false, description = {
  "Times two sides by turns over every shape of --rows and --cols.",
  "A side is a name, and may be followed by what it does: native:layer_norm:f32. Names: native, "
      + "native-heap, plain, scalar, vector, vector-segment and others; a wrong one lists all."})
final class DuelCommand implements Runnable {
  private static final String BY_DEFAULT = " Default: ${DEFAULT-VALUE}.";

  /** Minutes; many more would not fit in memory. */
  private static final int MAX_PAIRS = 100_000;

  @Parameters(index = "0", paramLabel = "FIRST", description = "The one side.")
  private String first;

  @Parameters(index = "1", paramLabel = "SECOND", description = {
    "The other; the ratio says how many times as long it takes."})
  private String second;

  @Option(names = "--op", paramLabel = "OPERATION", description = {
    "What a side does that does not say: ${COMPLETION-CANDIDATES}." + BY_DEFAULT})
  private Operation operation = Operation.RMS_NORM;

  @Option(names = "--type", paramLabel = "TYPE", description = {
    "Its elements: ${COMPLETION-CANDIDATES}." + BY_DEFAULT})
  private Format format = Format.F32;

  @Option(names = "--rows", paramLabel = "N", split = ",", description = "Rows." + BY_DEFAULT)
  private int[] rows = {1};

  @Option(names = "--cols", paramLabel = "N", split = ",", description = "Columns." + BY_DEFAULT)
  private int[] cols = {64, 128, 384, 768, 1024, 2048, 4096, 8192};

  @Option(names = "--shapes", paramLabel = "RxC", split = ",", description = {
    "Shapes such as 16x1024, instead of --rows and --cols."})
  private String[] shapes;

  @Option(names = "--jvms", paramLabel = "N", description = {
    "JVMs that measure it; the one in the middle counts." + BY_DEFAULT})
  private int jvms = 3;

  @Option(names = "--pairs", paramLabel = "N", description = {
    "Pairs of slices a shape, in each JVM." + BY_DEFAULT})
  private int pairs = 40;

  @Option(names = "--warm-up", paramLabel = "MS", description = {
    "Milliseconds a shape runs before it counts." + BY_DEFAULT})
  private int warmUp = 100;

  /** For the JVM that measures, and nothing else: it answers in JSON. */
  @Option(names = "--machine", hidden = true)
  private boolean machine;

  @Override
  public void run() {
    require(jvms >= 1, "--jvms is %d, less than 1", jvms);
    require(pairs >= 1, "--pairs is %d, less than 1", pairs);
    require(pairs <= MAX_PAIRS, "--pairs is %d, more than %d", pairs, MAX_PAIRS);
    require(warmUp >= 0, "--warm-up is %d, less than 0", warmUp);
    Problem byDefault = new Problem(operation, format);
    Duel duel = new Duel(Side.of(first, byDefault), Side.of(second, byDefault), shapes());
    if (machine) {
      duel.run(pairs, warmUp * 1_000_000L, outcome -> System.out.println(Child.line(outcome)));
      return;
    }
    duel.first().who();
    duel.second().who();
    System.out.println("     shape   first, ns  second, ns   ratio  of JVMs   (%s, then %s)"
        .formatted(duel.first(), duel.second()));
    duel.inChildren(jvms, pairs, warmUp, outcome -> System.out.println(shown(outcome)));
  }

  private List<Shape> shapes() {
    Set<Shape> all = new LinkedHashSet<>();
    if (shapes != null) {
      for (String shape : shapes) {
        all.add(Shape.of(shape));
      }
    } else {
      for (int r : rows) {
        for (int c : cols) {
          all.add(new Shape(r, c));
        }
      }
    }
    for (Shape shape : all) {
      require(shape.rows() >= 1 && shape.cols() >= 1 && shape.elements() <= Shape.MAX_ELEMENTS,
          "%s is no shape of at least 1x1 and at most 2^27 elements", shape);
    }
    return List.copyOf(all);
  }

  private static void require(boolean condition, String message, Object... numbers) {
    if (!condition) {
      throw new IllegalArgumentException(message.formatted(numbers));
    }
  }

  private static String shown(Duel.Outcome outcome) {
    Pairing.Result r = outcome.result();
    return String.format(Locale.ROOT, "%10s %11.1f %11.1f %7.2f  %.2f to %.2f", outcome.shape(),
        r.first(), r.second(), r.ratio(), outcome.least(), outcome.most());
  }
}
