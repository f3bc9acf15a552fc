package dev.panorm.bench;

/** A contender's solution of one problem, buffers bound: what is timed is {@link #run} alone. */
interface Task {
  /** Computes once. */
  void run();

  /** What the last run wrote. */
  float[] result();
}
