package dev.panorm.bench;

import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** A point of the grid of {@link NormBenchmark}, run by JMH. */
record NormPoint(Side side, Shape shape) {
  /** All that there are. */
  static List<NormPoint> all() {
    return points(NormBenchmark.problems(), NormBenchmark.shapes());
  }

  /** For a quick run: what allocates, and a few times to set the ratios beside. */
  static List<NormPoint> few() {
    List<NormPoint> points = new ArrayList<>(
        points(List.of(new Problem(Operation.RMS_NORM, Format.F32)),
            List.of(new Shape(1, 64), new Shape(1, 1024), new Shape(512, 4096))));
    for (NormPoint point : points(NormBenchmark.problems(), List.of(new Shape(1, 1024)))) {
      if (point.side.contender().equals("native") && !points.contains(point)) {
        points.add(point);
      }
    }
    return points;
  }

  private static List<NormPoint> points(List<Problem> problems, List<Shape> shapes) {
    List<NormPoint> points = new ArrayList<>();
    for (Problem problem : problems) {
      for (Shape shape : shapes) {
        for (String contender : NormBenchmark.grid("side")) {
          if (Contenders.of(contender).solves(problem)) {
            points.add(new NormPoint(new Side(contender, problem), shape));
          }
        }
      }
    }
    return points;
  }

  Results.Absolute run(boolean full, String log) throws RunnerException {
    // Others on this machine may run JMH too; what disturbs is shown by the spread.
    System.setProperty("jmh.ignoreLock", "true");
    ChainedOptionsBuilder options = new OptionsBuilder().include(NormBenchmark.class.getName())
        .param("operation", side.problem().operation().name())
        .param("format", side.problem().format().name())
        .param("side", side.contender())
        .param("rows", "" + shape.rows())
        .param("cols", "" + shape.cols())
        .addProfiler(GCProfiler.class)
        .shouldFailOnError(true)
        .verbosity(VerboseMode.NORMAL)
        .output(log);
    if (full) {
      options.forks(3);
    }
    RunResult result = new Runner(options.build()).run().iterator().next();
    Result<?> time = result.getPrimaryResult();
    return new Results.Absolute(side.contender(), side.problem(), shape.rows(), shape.cols(),
        time.getScore(), time.getScoreError(),
        result.getSecondaryResults().get("gc.alloc.rate.norm").getScore());
  }

  @Override
  public String toString() {
    return side + " " + shape;
  }
}
