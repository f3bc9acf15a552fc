package dev.panorm.paper.model;

import dev.panorm.paper.data.Batch;
import dev.panorm.paper.nn.Attention;
import dev.panorm.paper.nn.CrossEntropy;
import dev.panorm.paper.nn.Init;
import dev.panorm.paper.nn.Linear;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Recurrent translation with attention: a bidirectional GRU encoder and a GRU decoder that attends
 * after its step (global attention, Luong et al., 2015), where the paper's RNNSearch attends before
 * it. The norm is on the summed inputs of the recurrent and of the feed-forward layers.
 */
public final class GruTranslator implements TranslationModel {
  private final int width;
  private final Value sourceTable;
  private final Value targetTable;
  private final Gru forward;
  private final Gru backward;
  private final Linear annotation;
  private final Linear first;
  private final Gru decoder;
  private final Linear query;
  private final Linear readout;
  private final Linear output;

  /**
   * A model of a given width, of states and embeddings alike.
   *
   * @param centre of the distribution that weights are drawn from: 0, or 0.2 for the paper's figure 4
   */
  public GruTranslator(Parameters parameters, int tokens, int width, double centre, NormSpec norm) {
    this.width = width;
    Init init = Init.normal(centre, 0.01);
    Init square = centre == 0 ? Init.orthogonal() : init;
    sourceTable = parameters.create("source", tokens, width, init);
    targetTable = parameters.create("target", tokens, width, init);
    forward = new Gru(parameters, "encoder.forward", width, width, init, square, norm);
    backward = new Gru(parameters, "encoder.backward", width, width, init, square, norm);
    annotation = new Linear(parameters, "annotation", 2 * width, width, init, norm);
    first = new Linear(parameters, "first", width, width, square, norm);
    decoder = new Gru(parameters, "decoder", width, width, init, square, norm);
    query = new Linear(parameters, "query", width, width, square, NormSpec.NONE);
    readout = new Linear(parameters, "readout", 3 * width, width, init, norm);
    output = new Linear(parameters, "output", width, tokens, init, NormSpec.NONE);
  }

  @Override
  public CrossEntropy loss(Tape tape, Batch batch) {
    Encoded encoded = encode(tape, batch);
    Value words = tape.embed(targetTable, batch.input());
    Gru.Inputs inputs = decoder.inputs(tape, words);
    Value state = encoded.first;
    List<Value> states = new ArrayList<>();
    for (int t = 0; t < batch.targetSteps(); t++) {
      state = decoder.step(tape, inputs.rows(t * batch.size(), batch.size()), state);
      states.add(state);
    }
    Value logits = logits(tape, batch, encoded, tape.stack(states), words);
    return CrossEntropy.of(tape, logits, batch.output(), tape.training() ? SMOOTHING : 0);
  }

  /** The annotations of all source steps, and the decoder's first state. */
  private record Encoded(Value annotations, Value first) {}

  private Encoded encode(Tape tape, Batch batch) {
    int size = batch.size();
    int steps = batch.sourceSteps();
    Value words = tape.embed(sourceTable, batch.source());
    Gru.Inputs onward = forward.inputs(tape, words);
    Gru.Inputs back = backward.inputs(tape, words);
    Value[] forwards = new Value[steps];
    Value[] backwards = new Value[steps];
    Value zero = tape.zeros(size, width);
    for (int t = 0; t < steps; t++) {
      int s = steps - 1 - t;
      forwards[t] = forward.step(tape, onward.rows(t * size, size),
          t == 0 ? zero : forwards[t - 1]);
      backwards[s] = backward.step(tape, back.rows(s * size, size),
          t == 0 ? zero : backwards[s + 1]);
    }
    Value both = tape.beside(tape.stack(Arrays.asList(forwards)),
        tape.stack(Arrays.asList(backwards)));
    return new Encoded(tape.tanh(annotation.apply(tape, both)),
        tape.tanh(first.apply(tape, backwards[0])));
  }

  private Value logits(Tape tape, Batch batch, Encoded encoded, Value states, Value words) {
    Value context = new Attention(batch.size(), 1, 1, false).apply(tape, query.apply(tape, states),
        encoded.annotations, encoded.annotations);
    Value read = tape.tanh(readout.apply(tape, tape.beside(tape.beside(states, context), words)));
    return output.apply(tape, read);
  }

  @Override
  public int[][] translate(Tape tape, Batch batch) {
    Encoded encoded = encode(tape, batch);
    Translations translations = new Translations(batch);
    Value state = encoded.first;
    while (!translations.finished()) {
      Value words = tape.embed(targetTable, translations.last());
      state = decoder.step(tape, decoder.inputs(tape, words), state);
      translations.add(Tape.argmax(logits(tape, batch, encoded, state, words)));
    }
    return translations.tokens();
  }
}
