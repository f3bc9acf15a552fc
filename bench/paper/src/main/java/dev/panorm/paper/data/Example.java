package dev.panorm.paper.data;

/** A pair as tokens: the source with its end, the target without. */
record Example(Pair pair, int[] source, int[] target) {}
