package dev.panorm.paper.data;

import dev.panorm.paper.BadInput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Text that comes in Debian packages, fetched by apt-get and unpacked, not installed. */
final class Debian {
  private Debian() {}

  /** The folder with the files of a package, fetched if it is not there. */
  static Path unpack(String name, Path cache) {
    Path folder = cache.resolve(name);
    if (Files.isDirectory(folder)) {
      return folder;
    }
    try {
      Files.createDirectories(cache);
      run(cache, "apt-get", "download", name);
      try (var files = Files.newDirectoryStream(cache, name + "_*.deb")) {
        Path part = cache.resolve(name + ".part");
        run(cache, "dpkg-deb", "-x", files.iterator().next().getFileName().toString(),
            part.getFileName().toString());
        Files.move(part, folder); // whole or not at all
      }
      return folder;
    } catch (IOException e) {
      throw new BadInput("%s: cannot fetch the package %s: %s", cache, name, e);
    }
  }

  private static void run(Path folder, String... command) throws IOException {
    Process process = new ProcessBuilder(command).directory(folder.toFile())
        .redirectErrorStream(true)
        .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        List<String> lines = output.lines().toList();
        throw new BadInput("%s: exit code %d: %s", String.join(" ", command), process.exitValue(),
            lines.isEmpty() ? "" : lines.getLast());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
