package dev.panorm.paper.run;

import dev.panorm.paper.model.Model;
import dev.panorm.paper.nn.NormSpec;
import dev.panorm.paper.nn.Parameters;
import dev.panorm.paper.nn.Workspace;
import java.util.List;
import java.util.Map;

/**
 * What is trained, on what, and how it is judged. Batches and rates depend on the step only, so
 * that all models of an experiment see the same, and a run can go on from any step.
 *
 * @param <B> a batch
 * @param <M> a model
 */
public interface Experiment<B, M extends Model<B>> {
  /** The command's name. */
  String name();

  /** All that the outcome depends on but norm, seed and steps. */
  Map<String, Object> settings();

  /** A new model. */
  M model(Parameters parameters, NormSpec norm);

  /** The training batch of a step, which counts from 0. */
  B batch(long seed, int step);

  /** The learning rate of a step, which counts from 0. */
  double rate(int step);

  /** Adam's second decay. */
  double beta2();

  /** Batches that are not trained on, for the loss during training. */
  List<B> development();

  /** Scores of a trained model, by name. */
  Map<String, Double> quality(M model, Workspace memory);

  /** Does whatever else shall be done with a trained model. */
  default void finished(NormSpec norm, M model) {}
}
