package dev.panorm.paper.model;

import dev.panorm.paper.nn.Init;
import dev.panorm.paper.nn.Linear;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Tape;
import dev.panorm.paper.nn.Value;

/**
 * A gated recurrent unit (Cho et al., 2014). Its four summed inputs are normalized each on its own,
 * as the paper's code does: those of the gates and of the candidate, from the input and from the
 * state.
 */
final class Gru {
  private final int width;
  private final Linear inputGates;
  private final Linear inputCandidate;
  private final Linear stateGates;
  private final Linear stateCandidate;

  Gru(Parameters parameters, String name, int in, int width, Init init, Init square,
      NormSpec norm) {
    this.width = width;
    inputGates = new Linear(parameters, name + ".input.gates", in, 2 * width, init, norm);
    inputCandidate = new Linear(parameters, name + ".input.candidate", in, width, init, norm);
    stateGates = new Linear(parameters, name + ".state.gates", width, 2 * width, square, norm);
    stateCandidate = new Linear(parameters, name + ".state.candidate", width, width, square, norm);
  }

  /** What inputs contribute, for all steps at once. */
  record Inputs(Value gates, Value candidate) {
    Inputs rows(int from, int count) {
      return new Inputs(gates.rows(from, count), candidate.rows(from, count));
    }
  }

  Inputs inputs(Tape tape, Value x) {
    return new Inputs(inputGates.apply(tape, x), inputCandidate.apply(tape, x));
  }

  /** The next state. */
  Value step(Tape tape, Inputs inputs, Value state) {
    Value gates = tape.sigmoid(tape.add(inputs.gates, stateGates.apply(tape, state)));
    Value reset = tape.columns(gates, 0, width);
    Value update = tape.columns(gates, width, width);
    Value candidate = tape
        .tanh(tape.add(inputs.candidate, tape.multiply(reset, stateCandidate.apply(tape, state))));
    return tape.mix(update, state, candidate);
  }
}
