package dev.panorm.paper.run;

/**
 * Learning rates: rising evenly for some steps, then constant or falling.
 *
 * @param peak the highest rate
 * @param warmup steps until it is reached
 * @param decay what follows
 * @param steps of the whole run
 * @param beta2 Adam's second decay
 */
record Schedule(double peak, int warmup, Decay decay, int steps, double beta2) {
  enum Decay {
    NONE,
    /** By the root of the step (Vaswani et al., 2017). */
    INVERSE_ROOT,
    /** Along a cosine to a tenth at the end of the run. */
    COSINE
  }

  double rate(int step) {
    if (step < warmup) {
      return peak * (step + 1) / warmup;
    }
    return peak * switch (decay) {
      case NONE -> 1;
      case INVERSE_ROOT -> Math.sqrt(warmup / (step + 1.0));
      case COSINE -> 0.55 + 0.45 * Math.cos(Math.PI * (step - warmup) / (steps - warmup));
    };
  }
}
