package dev.panorm;

import dev.panorm.internal.Options;

/** Which element of gain and bias a column meets, where a row has groups. */
public enum GainLayout {
  /** One for each column of the row: as many as x has columns. */
  PER_COLUMN(Options.GAIN_PER_COLUMN),
  /** One for each column of a group, the same for all groups: the per-head norms of queries, keys. */
  SHARED(Options.GAIN_SHARED),
  /** One for each group: a gain per channel, where a group is a channel's image. */
  PER_GROUP(Options.GAIN_PER_GROUP);

  final int option;

  GainLayout(int option) {
    this.option = option;
  }
}
