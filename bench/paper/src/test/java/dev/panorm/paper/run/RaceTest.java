package dev.panorm.paper.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panorm.paper.BadInput;
import dev.panorm.paper.data.Batch;
import dev.panorm.paper.data.TextBatch;
import dev.panorm.paper.data.TextData;
import dev.panorm.paper.data.TinyPairs;
import dev.panorm.paper.data.TranslationData;
import dev.panorm.paper.model.GruTranslator;
import dev.panorm.paper.model.Llama;
import dev.panorm.paper.model.TransformerTranslator;
import dev.panorm.paper.model.TranslationModel;
import dev.panorm.paper.nn.NormKind;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.run.Schedule.Decay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RaceTest {
  private static final Race.Progress SILENT = (norm, steps, loss) -> {};
  private static final TranslationData PAIRS = TinyPairs.data();

  @TempDir
  private Path folder;

  private static List<NormSpec> fused(NormKind... kinds) {
    return Stream.of(kinds).map(kind -> new NormSpec(kind, NormSpec.Style.FUSED)).toList();
  }

  private static Experiment<Batch, TranslationModel> recurrent(Schedule schedule) {
    return new TranslationExperiment("tiny", Map.of(), PAIRS, schedule, (parameters,
        norm) -> new GruTranslator(parameters, PAIRS.vocabulary().size(), 48, 0, norm));
  }

  private Race.Plan plan(List<NormSpec> norms, int steps, String name) {
    return new Race.Plan(norms, 1, steps, 5, 4, folder.resolve(name + ".jsonl"));
  }

  private static <T> List<T> entries(Race.Plan plan, String type, Class<T> record) {
    return RunLog.read(plan.log()).entries(type, record);
  }

  /** All losses of a run, to the bit. */
  private static List<String> losses(Race.Plan plan) {
    return Stream
        .concat(
            entries(plan, "turn", Entry.Turn.class).stream().map(t -> t.step() + " " + t.losses()),
            entries(plan, "development", Entry.Development.class).stream()
                .map(d -> d.step() + " development " + d.losses()))
        .toList();
  }

  @Test
  void recurrentTranslationLearns() {
    Race.Plan plan = plan(fused(NormKind.LAYER_NORM, NormKind.RMS_NORM, NormKind.P_RMS_NORM), 400,
        "rnn");
    new Race<>(recurrent(new Schedule(5e-3, 20, Decay.COSINE, 400, 0.999)), plan, SILENT).run();
    for (Entry.Quality quality : entries(plan, "quality", Entry.Quality.class)) {
      assertTrue(quality.scores().get("BLEU test") > 95, quality.toString());
    }
  }

  @Test
  void transformerTranslationLearns() {
    TransformerTranslator.Shape shape = new TransformerTranslator.Shape(PAIRS.vocabulary().size(),
        48, 4, 2, 13, 0);
    Race.Plan plan = plan(fused(NormKind.LAYER_NORM, NormKind.RMS_NORM, NormKind.P_RMS_NORM), 300,
        "transformer");
    new Race<>(new TranslationExperiment("tiny", Map.of(), PAIRS,
        new Schedule(5e-3, 40, Decay.COSINE, 300, 0.98),
        (parameters, norm) -> new TransformerTranslator(parameters, shape, norm)), plan, SILENT)
        .run();
    for (Entry.Quality quality : entries(plan, "quality", Entry.Quality.class)) {
      assertTrue(quality.scores().get("BLEU test") > 75, quality.toString());
    }
  }

  @Test
  void languageModelLearnsAndIsExported() throws IOException {
    // A text that says the same again and again.
    List<String> text = TinyPairs.pairs(400).stream().map(pair -> "red green blue grey").toList();
    TextData data = new TextData(text, 300, 12, 4);
    Llama.Shape shape = new Llama.Shape(24, 40, 1, 4, 2, data.vocabulary().size(), 12);
    Race.Plan plan = plan(fused(NormKind.LAYER_NORM, NormKind.RMS_NORM, NormKind.P_RMS_NORM), 150,
        "language");
    Experiment<TextBatch, Llama> experiment = new LanguageExperiment(Map.of(), data, shape,
        new Schedule(5e-3, 10, Decay.COSINE, 150, 0.95), folder.resolve("model"));
    new Race<>(experiment, plan, SILENT).run();
    for (Entry.Quality quality : entries(plan, "quality", Entry.Quality.class)) {
      assertTrue(quality.scores().get("validation loss") < 0.1, quality.toString());
    }
    // Seven numbers; embedding, 2 norms and 7 matrices of the block, a norm, rotations.
    int floats = shape.tokens() * 24 + 2 * 24 + 2 * 24 * 24 + 2 * 24 * 12 + 3 * 24 * 40 + 24
        + 12 * 6;
    assertEquals(28 + 4L * floats, Files.size(folder.resolve("model/model.bin")));
    assertTrue(Files.exists(folder.resolve("model/tokenizer.bin")));
  }

  @Test
  void killedRunGoesOnWithTheSameLosses() {
    Experiment<Batch, TranslationModel> experiment = recurrent(
        new Schedule(1e-3, 1, Decay.NONE, 40, 0.999));
    List<NormSpec> norms = fused(NormKind.RMS_NORM, NormKind.BATCH_NORM);
    Race.Plan whole = plan(norms, 40, "whole");
    new Race<>(experiment, whole, SILENT).run();

    Race.Plan killed = plan(norms, 40, "killed");
    int[] turns = {0};
    assertThrows(IllegalStateException.class,
        () -> new Race<>(experiment, killed, (norm, steps, loss) -> {
          if (++turns[0] == 11) { // of 16; in the sixth round, after the checkpoint of step 20
            throw new IllegalStateException("killed");
          }
        }).run());
    int[] left = {0};
    new Race<>(experiment, killed, (norm, steps, loss) -> left[0] += steps).run();
    assertEquals(losses(whole), losses(killed));
    assertEquals(2 * 40, left[0], "steps reported, those of the checkpoint included");
  }

  @Test
  void tornCheckpointIsRefused() throws IOException {
    Experiment<Batch, TranslationModel> experiment = recurrent(
        new Schedule(1e-3, 1, Decay.NONE, 10, 0.999));
    Race.Plan plan = plan(fused(NormKind.NONE), 10, "torn");
    new Race<>(experiment, plan, SILENT).run();
    byte[] whole = Files.readAllBytes(plan.checkpoint());
    for (int length : new int[] {0, 10, whole.length / 2, whole.length - 1}) {
      Files.write(plan.checkpoint(), Arrays.copyOf(whole, length));
      BadInput e = assertThrows(BadInput.class, () -> new Race<>(experiment, plan, SILENT).run());
      assertTrue(e.getMessage().contains("torn") && e.getMessage().contains(length + " bytes"),
          e.getMessage());
    }
    whole[whole.length / 3] ^= 1;
    Files.write(plan.checkpoint(), whole);
    assertThrows(BadInput.class, () -> new Race<>(experiment, plan, SILENT).run());
  }

  @Test
  void checkpointOfOtherSettingsIsRefused() {
    Experiment<Batch, TranslationModel> experiment = recurrent(
        new Schedule(1e-3, 1, Decay.NONE, 10, 0.999));
    new Race<>(experiment, plan(fused(NormKind.NONE), 10, "same"), SILENT).run();
    BadInput e = assertThrows(BadInput.class,
        () -> new Race<>(experiment, plan(fused(NormKind.RMS_NORM), 10, "same"), SILENT).run());
    assertTrue(e.getMessage().contains("other settings"), e.getMessage());
  }

  @Test
  void lossThatIsNotFiniteEndsTheRunAndKeepsTheCheckpoint() {
    Experiment<Batch, TranslationModel> broken = new TranslationExperiment("tiny", Map.of(), PAIRS,
        new Schedule(1e-3, 1, Decay.NONE, 20, 0.999), (parameters,
            norm) -> new GruTranslator(parameters, PAIRS.vocabulary().size(), 24, 0, norm)) {
      @Override
      public double rate(int step) {
        return step < 12 ? 1e-3 : Double.NaN;
      }
    };
    Race.Plan plan = plan(fused(NormKind.NONE), 20, "broken");
    BadInput e = assertThrows(BadInput.class, () -> new Race<>(broken, plan, SILENT).run());
    assertTrue(
        e.getMessage().startsWith("tiny: the loss of Baseline is ")
            && e.getMessage().endsWith("at step 14; " + plan.checkpoint() + " is kept"),
        e.getMessage());
    assertEquals(2, entries(plan, "development", Entry.Development.class).size());
  }
}
