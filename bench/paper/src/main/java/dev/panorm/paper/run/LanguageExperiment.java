package dev.panorm.paper.run;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.data.TextBatch;
import dev.panorm.paper.data.TextData;
import dev.panorm.paper.model.Llama;
import dev.panorm.paper.nn.CrossEntropy;
import dev.panorm.paper.nn.NormKind;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A language model, judged by its loss per token. */
final class LanguageExperiment implements Experiment<TextBatch, Llama> {
  /** Validation batches that the loss is taken on, in training and at the end. */
  private static final int JUDGED = 6;
  private static final int JUDGED_LAST = 60;

  private final Map<String, Object> settings;
  private final TextData data;
  private final Llama.Shape shape;
  private final Schedule schedule;
  private final Path export;

  /**
   * An experiment.
   *
   * @param export folder that the model with RMSNorm is written to, in llama2.c's formats; null for
   *     none
   */
  LanguageExperiment(Map<String, Object> settings, TextData data, Llama.Shape shape,
      Schedule schedule, Path export) {
    this.settings = new TreeMap<>(settings);
    this.settings.put("training tokens", data.sizes().getFirst());
    this.settings.put("validation tokens", data.sizes().getLast());
    this.settings.put("tokens", shape.tokens());
    this.data = data;
    this.shape = shape;
    this.schedule = schedule;
    this.export = export;
  }

  @Override
  public String name() {
    return "language-model";
  }

  @Override
  public Map<String, Object> settings() {
    return settings;
  }

  @Override
  public Llama model(Parameters parameters, NormSpec norm) {
    return new Llama(parameters, shape, norm);
  }

  @Override
  public TextBatch batch(long seed, int step) {
    return data.batch(seed, step);
  }

  @Override
  public double rate(int step) {
    return schedule.rate(step);
  }

  @Override
  public double beta2() {
    return schedule.beta2();
  }

  @Override
  public List<TextBatch> development() {
    return data.validation(JUDGED);
  }

  @Override
  public Map<String, Double> quality(Llama model, Workspace memory) {
    double nats = 0;
    long count = 0;
    for (TextBatch batch : data.validation(JUDGED_LAST)) {
      CrossEntropy result = model.loss(new Tape(memory, false, 0), batch);
      nats += result.nats();
      count += result.count();
    }
    return Map.of("validation loss", nats / count);
  }

  @Override
  public void finished(NormSpec norm, Llama model) {
    if (export == null || norm.kind() != NormKind.RMS_NORM) {
      return;
    }
    try {
      Files.createDirectories(export);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be made: %s", export, e);
    }
    model.write(export.resolve("model.bin"));
    data.vocabulary().write(export.resolve("tokenizer.bin"));
  }
}
