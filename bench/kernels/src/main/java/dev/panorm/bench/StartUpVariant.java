package dev.panorm.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A way to start.
 *
 * @param side as {@link StartUpProbe} takes it
 * @param cached with JDK 25's ahead-of-time cache, of an earlier run of the same
 */
record StartUpVariant(String name, String side, List<String> flags, boolean cached) {
  static List<StartUpVariant> all() {
    List<StartUpVariant> all = new ArrayList<>();
    for (boolean cached : new boolean[] {false, true}) {
      String with = cached ? ", AOT cache" : "";
      all.add(new StartUpVariant("native" + with, "native", List.of(Child.NATIVE_ACCESS), cached));
      all.add(new StartUpVariant("vector" + with, "vector", List.of(Child.VECTOR_MODULE), cached));
      all.add(new StartUpVariant("plain" + with, "plain", List.of(), cached));
    }
    all.add(new StartUpVariant("native, -Dpanorm.backend=java", "native",
        List.of("-Dpanorm.backend=java"), false));
    return all;
  }

  private Path cache() {
    return Folders.target().resolve(side + ".aot");
  }

  void makeCache() {
    try {
      Files.deleteIfExists(cache());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    launch("-XX:AOTCacheOutput=" + cache());
  }

  Results.StartUp run() {
    return new Results.StartUp(name, cached ? launch("-XX:AOTCache=" + cache()) : launch());
  }

  private StartUpProbe.Outcome launch(String... more) {
    List<String> all = new ArrayList<>(flags);
    all.addAll(List.of(more));
    StartUpProbe.Outcome[] outcome = new StartUpProbe.Outcome[1];
    Child.run(Child.java(all, StartUpProbe.class.getName(), side, "" + System.nanoTime()),
        StartUpProbe.Outcome.class, o -> outcome[0] = o);
    return outcome[0];
  }
}
