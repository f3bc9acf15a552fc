package dev.panorm.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Which sources are measured. */
final class Commit {
  private Commit() {}

  /**
   * As {@code git describe} names the commit that is checked out; with "-dirty" if something was
   * changed since. What a run itself writes, the report's own files, is no such change.
   */
  static String here() {
    try {
      String name = git("describe", "--always");
      String changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/",
          ":(exclude,top,glob)bench/kernels/**/results/**",
          ":(exclude,top,glob)bench/kernels/**/charts/**",
          ":(exclude,top,glob)bench/kernels/**/REPORT.md");
      return changed.isEmpty() ? name : name + "-dirty";
    } catch (IOException e) {
      return "unknown";
    }
  }

  private static String git(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("git", "-C", Folders.target().toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("Not a clone");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("Interrupted", e);
    }
    return out.strip();
  }
}
