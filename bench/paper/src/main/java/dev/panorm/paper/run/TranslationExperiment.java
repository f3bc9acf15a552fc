package dev.panorm.paper.run;

import dev.panorm.paper.data.Batch;
import dev.panorm.paper.data.TranslationData;
import dev.panorm.paper.data.TranslationData.Part;
import dev.panorm.paper.model.TranslationModel;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Workspace;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/** Translation, judged by the loss and by BLEU. */
class TranslationExperiment implements Experiment<Batch, TranslationModel> {
  /** Development batches that the loss is taken on. */
  private static final int JUDGED = 12;

  private final String name;
  private final Map<String, Object> settings;
  private final TranslationData data;
  private final Schedule schedule;
  private final BiFunction<Parameters, NormSpec, TranslationModel> models;
  private long seed;
  private int first;
  private int epoch = -1;
  private List<Batch> batches = List.of();

  TranslationExperiment(String name, Map<String, Object> settings, TranslationData data,
      Schedule schedule, BiFunction<Parameters, NormSpec, TranslationModel> models) {
    this.name = name;
    this.settings = new TreeMap<>(settings);
    this.settings.putAll(data.sizes());
    this.data = data;
    this.schedule = schedule;
    this.models = models;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, Object> settings() {
    return settings;
  }

  @Override
  public TranslationModel model(Parameters parameters, NormSpec norm) {
    return models.apply(parameters, norm);
  }

  @Override
  public Batch batch(long ofSeed, int step) {
    if (seed != ofSeed || step < first) {
      seed = ofSeed;
      epoch = -1;
      first = 0;
      batches = List.of();
    }
    while (step >= first + batches.size()) {
      first += batches.size();
      batches = data.epoch(seed, ++epoch);
    }
    return batches.get(step - first);
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
  public List<Batch> development() {
    List<Batch> all = data.development();
    int count = Math.min(JUDGED, all.size());
    // Spread evenly, since they are sorted by length.
    return IntStream.range(0, count).mapToObj(i -> all.get(i * all.size() / count)).toList();
  }

  @Override
  public Map<String, Double> quality(TranslationModel model, Workspace memory) {
    TranslationData.Translator translator = batch -> model.translate(new Tape(memory, false, 0),
        batch);
    Map<String, Double> scores = new TreeMap<>();
    scores.put("BLEU dev", data.bleu(Part.DEVELOPMENT, translator));
    scores.put("BLEU test", data.bleu(Part.TEST, translator));
    return scores;
  }
}
