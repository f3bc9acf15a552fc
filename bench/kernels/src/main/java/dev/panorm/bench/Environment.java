package dev.panorm.bench;

import dev.panorm.Panorm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The machine and the JVM.
 *
 * @param l1 bytes of first-level data cache, 0 if unknown; so l2, l3
 */
record Environment(String cpu, int cores, long l1, long l2, long l3, String os, String jdk,
    String panorm, String backend) {
  static Environment here() {
    return new Environment(
        find("/proc/cpuinfo", "model name\\s*:\\s*(.*)", System.getProperty("os.arch")),
        Runtime.getRuntime().availableProcessors(), cache(1), cache(2), cache(3),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vendor") + " " + Runtime.version(), Panorm.version(),
        Panorm.backend().toString());
  }

  /** The smallest level of cache, from 1, that holds so many bytes; 4 is memory, 0 not known. */
  int level(long bytes) {
    if (l1 == 0) {
      return 0;
    }
    if (bytes <= l1) {
      return 1;
    }
    if (bytes <= l2) {
      return 2;
    }
    return bytes <= l3 ? 3 : 4;
  }

  /** Linux tells of each cache in a folder. */
  private static long cache(int level) {
    Path all = Path.of("/sys/devices/system/cpu/cpu0/cache");
    if (!Files.isDirectory(all)) {
      return 0;
    }
    try (Stream<Path> caches = Files.list(all)) {
      return caches.map(Path::toString)
          .filter(c -> find(c + "/level", "(.*)", "").equals(String.valueOf(level)))
          .filter(c -> !find(c + "/type", "(.*)", "").equals("Instruction"))
          .mapToLong(c -> 1024 * Long.parseLong(find(c + "/size", "(\\d+)K", "0")))
          .max()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  private static String find(String file, String pattern, String otherwise) {
    try {
      Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(Path.of(file)));
      return matcher.find() ? matcher.group(1).strip() : otherwise;
    } catch (IOException e) {
      return otherwise;
    }
  }
}
