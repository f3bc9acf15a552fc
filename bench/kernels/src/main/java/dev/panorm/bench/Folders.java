package dev.panorm.bench;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Where this module's files are, wherever it is run from. */
final class Folders {
  private Folders() {}

  /** What the build makes: the folder that this module's jar, or its classes, are in. */
  static Path target() {
    try {
      return Path.of(Folders.class.getProtectionDomain().getCodeSource().getLocation().toURI())
          .resolveSibling("");
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
