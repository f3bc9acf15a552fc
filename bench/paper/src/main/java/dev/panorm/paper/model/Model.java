package dev.panorm.paper.model;

import dev.panorm.paper.nn.CrossEntropy;
import dev.panorm.paper.nn.Tape;

/**
 * What training needs of a model.
 *
 * @param <B> a batch of its data
 */
@FunctionalInterface
public interface Model<B> {
  /** The loss on a batch, with label smoothing in training if the model has any. */
  CrossEntropy loss(Tape tape, B batch);
}
