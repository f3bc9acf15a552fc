package dev.panorm.paper.model;

import dev.panorm.paper.data.Batch;
import dev.panorm.paper.nn.Tape;

/** An encoder and a decoder. */
public interface TranslationModel extends Model<Batch> {
  /** Of labels, in training. */
  float SMOOTHING = 0.1f;

  /** Greedy translations of a batch's sources, one row of tokens each, the end not always reached. */
  int[][] translate(Tape tape, Batch batch);
}
