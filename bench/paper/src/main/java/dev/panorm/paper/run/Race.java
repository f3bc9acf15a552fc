package dev.panorm.paper.run;

import dev.panorm.Panorm;
import dev.panorm.paper.BadInput;
import dev.panorm.paper.model.Model;
import dev.panorm.paper.nn.CrossEntropy;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Workspace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * Trains models that differ in their norm on the same batches, in turns of a few steps: so the
 * times of a turn compare, whatever else the machine does meanwhile. Times are the processor's, of
 * the one thread that trains.
 *
 * @param <B> a batch
 * @param <M> a model
 */
final class Race<B, M extends Model<B>> {
  private static final double CLIP = 1;
  private static final double BETA1 = 0.9;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final Experiment<B, M> experiment;
  private final Plan plan;
  private final Progress progress;

  /**
   * What to run.
   *
   * @param norms one model each
   * @param steps of each
   * @param turn steps that a model does at a time
   * @param evaluations of the loss on the development part, evenly spread; 0 also for no scores at
   *     the end
   * @param log file of the results; a checkpoint is beside it
   */
  record Plan(List<NormSpec> norms, long seed, int steps, int turn, int evaluations, Path log) {
    Path checkpoint() {
      return log.resolveSibling(log.getFileName().toString().replace(".jsonl", ".checkpoint"));
    }

    /** Whether a multiple of n / count lies in the turn that ends at a step. */
    private boolean due(int step, int count) {
      return count > 0 && (long) step * count / steps != (long) (step - turn) * count / steps;
    }
  }

  /** Is told what happens. */
  @FunctionalInterface
  interface Progress {
    void turn(String norm, int steps, double loss);
  }

  /** One model. */
  private final class Entrant implements AutoCloseable {
    private final NormSpec norm;
    private final String label;
    private final Parameters parameters;
    private final M model;

    Entrant(NormSpec norm) {
      this.norm = norm;
      label = norm.label();
      parameters = new Parameters(plan.seed);
      model = experiment.model(parameters, norm);
    }

    @Override
    public void close() {
      parameters.close();
    }
  }

  Race(Experiment<B, M> experiment, Plan plan, Progress progress) {
    this.experiment = experiment;
    this.plan = plan;
    this.progress = progress;
  }

  /** Runs to the end, from the checkpoint if there is one. */
  void run() {
    List<Entrant> entrants = new ArrayList<>();
    try (Workspace memory = new Workspace()) {
      for (NormSpec norm : plan.norms) {
        entrants.add(new Entrant(norm));
      }
      List<MemorySegment> state = entrants.stream()
          .flatMap(e -> e.parameters.state().stream())
          .toList();
      RunLog log;
      int step = 0;
      if (Files.exists(plan.checkpoint())) {
        Checkpoint checkpoint = Checkpoint.read(plan.checkpoint(), identity(), state);
        log = RunLog.resume(plan.log, checkpoint.logLength());
        step = checkpoint.step();
        for (Entrant entrant : entrants) {
          progress.turn(entrant.label, step, Double.NaN);
        }
      } else {
        log = RunLog.create(plan.log);
        log.add(header());
      }
      while (step < plan.steps) {
        int steps = Math.min(plan.turn, plan.steps - step);
        List<B> batches = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
          batches.add(experiment.batch(plan.seed, step + i));
        }
        log.add(turn(entrants, batches, step, memory));
        step += steps;
        if (plan.due(step, plan.evaluations)) {
          log.add(new Entry.Development("development", step,
              entrants.stream().map(entrant -> developmentLoss(entrant, memory)).toList()));
          new Checkpoint(step, log.length()).write(plan.checkpoint(), identity(), state);
        }
      }
      if (plan.evaluations > 0) {
        for (Entrant entrant : entrants) {
          log.add(new Entry.Quality("quality", entrant.label,
              experiment.quality(entrant.model, memory)));
          experiment.finished(entrant.norm, entrant.model);
        }
      }
    } finally {
      entrants.forEach(Entrant::close);
    }
  }

  private Entry.Turn turn(List<Entrant> entrants, List<B> batches, int step, Workspace memory) {
    int n = entrants.size();
    Double[] seconds = new Double[n];
    Double[] normShares = new Double[n];
    Float[] losses = new Float[n];
    for (int i = 0; i < n; i++) {
      // Another one begins each time: nobody always runs in another's wake.
      int next = (i + step / plan.turn) % n;
      Part part = train(entrants.get(next), batches, step, memory);
      seconds[next] = rounded(part.seconds, 1e6);
      normShares[next] = rounded(part.normShare, 1e4);
      losses[next] = (float) part.loss;
      progress.turn(entrants.get(next).label, batches.size(), part.loss);
    }
    return new Entry.Turn("turn", step, batches.size(), List.of(seconds), List.of(normShares),
        List.of(losses));
  }

  private static double rounded(double value, double scale) {
    return Math.rint(value * scale) / scale;
  }

  /** One model's part of a turn. */
  private record Part(double seconds, double normShare, double loss) {}

  private Part train(Entrant entrant, List<B> batches, int done, Workspace memory) {
    double loss = 0;
    long normNanos = 0;
    long clock = System.nanoTime();
    long start = THREADS.getCurrentThreadCpuTime();
    for (int i = 0; i < batches.size(); i++) {
      int step = done + i;
      Tape tape = new Tape(memory, true, plan.seed * 1_000_003 + step);
      CrossEntropy result = entrant.model.loss(tape, batches.get(i));
      double value = result.loss().tensor().get(0, 0);
      if (!Double.isFinite(value)) {
        throw new BadInput("%s: the loss of %s is %s at step %d; %s", experiment.name(),
            entrant.label, value, step + 1,
            Files.exists(plan.checkpoint())
                ? plan.checkpoint() + " is kept"
                : "there is no checkpoint yet");
      }
      loss += value;
      tape.backward(result.loss());
      entrant.parameters.adam(step + 1, experiment.rate(step), BETA1, experiment.beta2(), CLIP);
      normNanos += tape.normNanos();
    }
    double seconds = (THREADS.getCurrentThreadCpuTime() - start) / 1e9;
    double normShare = (double) normNanos / (System.nanoTime() - clock);
    return new Part(seconds, normShare, loss / batches.size());
  }

  private double developmentLoss(Entrant entrant, Workspace memory) {
    double nats = 0;
    long count = 0;
    for (B batch : experiment.development()) {
      CrossEntropy result = entrant.model.loss(new Tape(memory, false, 0), batch);
      nats += result.nats();
      count += result.count();
    }
    return nats / count;
  }

  private List<String> labels() {
    return plan.norms.stream().map(NormSpec::label).toList();
  }

  /** What a checkpoint must be of to be of this run. */
  private String identity() {
    return "%s, seed %d, %d steps of %s, %s".formatted(experiment.name(), plan.seed, plan.steps,
        labels(), experiment.settings());
  }

  private Entry.Header header() {
    return new Entry.Header("run", experiment.name(), plan.seed, plan.steps, labels(),
        experiment.settings(), machine(),
        System.getProperty("java.vm.name") + " " + Runtime.version(), Panorm.backend().toString(),
        Instant.now().truncatedTo(ChronoUnit.MINUTES).toString());
  }

  private static String machine() {
    String processor = System.getProperty("os.arch");
    Path file = Path.of("/proc/cpuinfo");
    if (Files.isReadable(file)) {
      try {
        processor = Files.readAllLines(file)
            .stream()
            .filter(l -> l.startsWith("model name"))
            .map(l -> l.substring(l.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(processor);
      } catch (IOException e) {
        // Then the architecture has to do.
      }
    }
    return "%s, %d processors, %s".formatted(processor, Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name"));
  }
}
