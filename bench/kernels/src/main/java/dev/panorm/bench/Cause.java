package dev.panorm.bench;

/** Why a side gains no more than it does at a shape, in few words, where that is known. */
interface Cause {
  String UNKNOWN = "Not known.";

  String CALL = "The call and its checks, much of the time of so short a row; a loop in Java is "
      + "compiled into its caller.";
  String SECOND_CACHE = "Both wait for the second cache.";
  String LOOP = "The library waits for the second cache, the loop for its own sum.";
  String CONVERSION = "bf16 takes its time for the conversion of its elements.";
  String MEMORY = "Both wait for the last cache, or for memory.";
  String SAME_CODE = "C2 makes much the same instructions of the Vector API, and needs no call.";

  /** Of a duel that does not reach its goal. */
  String of(Measurements measured, Duel.Outcome duel);

  /** One for all shapes. */
  static Cause always(String why) {
    return (_, _) -> why;
  }

  /** What holds whatever the goal is. */
  static String usual(Measurements m, Duel.Outcome d) {
    Problem problem = d.problem();
    boolean ours = d.second().startsWith("native");
    if (d.rows() == 1 && d.cols() <= 128) {
      return ours
          ? "The call and its checks, much of the time of so short a row, are the same."
          : CALL;
    }
    if (problem.operation() == Operation.RMS_NORM_READ) {
      return "y was stored past the caches; the other side's is in the last one.";
    }
    if (problem.operation() == Operation.RMS_NORM_INT8) {
      return "The largest magnitude is that of y as it is rounded, so it is taken after the sum; "
          + "the other side takes both in one pass.";
    }
    if (m.level(d) > 2) {
      return MEMORY;
    }
    if (problem.format() != Format.F32) {
      return "In the caches, the conversion of the elements takes the time, on both sides.";
    }
    if (m.fillFirstCache(d)) {
      return SECOND_CACHE;
    }
    return d.second().startsWith("vector") ? SAME_CODE : UNKNOWN;
  }
}
