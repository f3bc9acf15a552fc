package dev.panorm.paper.run;

import java.util.List;
import java.util.Map;

/** What a log holds. Norms are named by their labels. */
final class Entry {
  private Entry() {}

  /**
   * The first line: what was run, where.
   *
   * @param norms those that were trained; lists of other entries are in this order
   */
  record Header(String type, String experiment, long seed, int steps, List<String> norms,
      Map<String, Object> settings, String machine, String java, String backend, String started) {}

  /**
   * Some steps of each model.
   *
   * @param step how many had been done before
   * @param steps how many were done
   * @param seconds of the processor, in the thread that trains
   * @param normShares what norms took of the time, by the clock
   * @param losses mean over the steps, with label smoothing
   */
  record Turn(String type, int step, int steps, List<Double> seconds, List<Double> normShares,
      List<Float> losses) {}

  /** Losses per token on the development part, in nats, after so many steps. */
  record Development(String type, int step, List<Double> losses) {}

  /** Scores of a trained model. */
  record Quality(String type, String norm, Map<String, Double> scores) {}
}
