package dev.panorm.paper;

import dev.panorm.paper.run.Commands;
import java.io.PrintWriter;

/** The program: the paper's experiments. */
final class PaperMain {
  private PaperMain() {}

  public static void main(String[] args) {
    System.exit(Commands.run(new PrintWriter(System.err, true), args));
  }
}
