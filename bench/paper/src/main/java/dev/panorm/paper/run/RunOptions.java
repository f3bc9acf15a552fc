package dev.panorm.paper.run;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.model.Model;
import dev.panorm.paper.nn.NormKind;
import dev.panorm.paper.nn.NormSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Option;

/** Options that all experiments share, and how they are run. */
final class RunOptions {
  private static final int TURN = 10;
  private static final int EVALUATIONS = 20;

  @Option(names = "--seeds", paramLabel = "N", split = ",", description = "One run each. Default: 1.")
  private List<Long> seeds = List.of(1L);

  @Option(names = "--steps", paramLabel = "N", description = "Of training, for each norm. Default: the experiment's.")
  private Integer steps;

  @Option(names = "--norms", paramLabel = "NORM", split = ",", description = {
    "Of ${COMPLETION-CANDIDATES}.",
    "Partial RMSNorm is a choice for training: weights trained with the full norm are destroyed by it.",
    "Default: the paper's table."})
  private List<NormKind> norms;

  @Option(names = "--timing-steps", paramLabel = "N", description = {
    "Steps for the times of norms computed op by op; 0 for none. Default: ${DEFAULT-VALUE}."})
  private int timingSteps = 100;

  @Option(names = "--results", paramLabel = "DIR", description = {
    "For logs and checkpoints; a run that was stopped goes on from there.",
    "Default: ${DEFAULT-VALUE}."})
  private Path results = Path.of("target/paper");

  @Option(names = "--cache", paramLabel = "DIR", description = "For downloaded data. Default: ${DEFAULT-VALUE}.")
  private Path cache = Path.of("target/paper/data");

  Path cache() {
    return cache;
  }

  int steps(int byDefault) {
    int chosen = steps == null ? byDefault : steps;
    if (chosen < 1 || timingSteps < 0) {
      throw new BadInput("--steps is %d, --timing-steps is %d", chosen, timingSteps);
    }
    return chosen;
  }

  /** Runs an experiment for each seed, then the times, and prints the table. */
  void run(Experiment<?, ?> experiment, int stepCount, List<NormKind> normsByDefault) {
    List<NormKind> kinds = norms == null ? normsByDefault : norms;
    Path folder = results.resolve(experiment.name());
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be made: %s", folder, e);
    }
    List<NormSpec> fused = kinds.stream().map(k -> new NormSpec(k, NormSpec.Style.FUSED)).toList();
    for (long seed : seeds) {
      race(experiment, new Race.Plan(fused, seed, stepCount, TURN, EVALUATIONS,
          folder.resolve("seed-" + seed + ".jsonl")), "seed " + seed);
    }
    if (timingSteps > 0) {
      List<NormSpec> both = new ArrayList<>(fused);
      kinds.stream()
          .map(k -> new NormSpec(k, NormSpec.Style.OP_BY_OP))
          .filter(NormSpec::exists)
          .forEach(both::add);
      race(experiment, new Race.Plan(both, seeds.getFirst(), timingSteps, TURN, 0,
          folder.resolve("timing.jsonl")), "op by op");
    }
    System.out.print(new Summary(folder).table());
  }

  private static <B, M extends Model<B>> void race(Experiment<B, M> experiment, Race.Plan plan,
      String what) {
    boolean terminal = System.console() != null && System.console().isTerminal();
    try (ProgressBar bar = new ProgressBarBuilder().setTaskName(experiment.name() + ", " + what)
        .setInitialMax((long) plan.steps() * plan.norms().size())
        .setStyle(ProgressBarStyle.ASCII)
        .setMaxRenderedLength(terminal ? -1 : 140)
        .setUpdateIntervalMillis(terminal ? 500 : 10_000)
        .build()) {
      new Race<>(experiment, plan, (norm, done, loss) -> {
        bar.stepBy(done);
        bar.setExtraMessage("%s loss %.3f".formatted(norm, loss));
      }).run();
    }
  }
}
