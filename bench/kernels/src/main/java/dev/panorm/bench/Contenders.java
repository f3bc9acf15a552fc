package dev.panorm.bench;

import dev.panorm.bench.NativeContender.Way;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/** Everybody who takes part. */
final class Contenders {
  private Contenders() {}

  /** All of them. */
  public static List<Contender> all() {
    List<Contender> all = new ArrayList<>(List.of(new NativeContender("native", Way.OFF_HEAP),
        new NativeContender("native-heap", Way.HEAP),
        new NativeContender("native-add-apart", Way.ADD_APART),
        new NativeContender("native-2", Way.TWO_THREADS), new KernelContender("raw", false),
        new KernelContender("c-loop", true), JavaContender.plain(), JavaContender.scalar(),
        JavaContender.vector(), JavaContender.vectorSegment(), new CopyContender("memcpy", true),
        new CopyContender("segment-copy", false)));
    all.addAll(peers());
    return all;
  }

  /** Other libraries; none unless their module is on the class path. */
  static List<Contender> peers() {
    return ServiceLoader.load(Contender.class).stream().map(ServiceLoader.Provider::get).toList();
  }

  /**
   * The one of a name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Contender of(String name) {
    return all().stream()
        .filter(contender -> contender.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("No side \"" + name + "\": not one of "
            + all().stream().map(Contender::name).toList()));
  }
}
