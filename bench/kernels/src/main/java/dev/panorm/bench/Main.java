package dev.panorm.bench;

import dev.panorm.Panorm;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line. */
@Command(name = "bench", mixinStandardHelpOptions = true, subcommands = {RunCommand.class,
  ReportCommand.class, DuelCommand.class}, description = {
    "Compares the norms of Panorm with Java and with other libraries."}, footer = {"",
      "Exit codes: 0 done, 1 a measurement failed, 2 an option is wrong."})
public final class Main {
  private Main() {}

  /** Runs the command and exits with its code. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs the command and returns its exit code. */
  public static int run(String... args) {
    CommandLine command = new CommandLine(new Main());
    List<CommandLine> all = new ArrayList<>(command.getSubcommands().values());
    all.add(command);
    for (CommandLine each : all) {
      each.setCaseInsensitiveEnumValuesAllowed(true);
      each.getCommandSpec().version("panorm-bench " + Panorm.version());
    }
    command.setParameterExceptionHandler((e, rest) -> complain(command, 2, e));
    command.setExecutionExceptionHandler((e, line, parsed) -> switch (e) {
      case IllegalArgumentException wrong -> complain(command, 2, wrong);
      case IllegalStateException failed -> complain(command, 1, failed);
      default -> throw e;
    });
    if (args.length == 0) {
      return complain(command, 2, new IllegalArgumentException("one of run, report, duel; --help"));
    }
    return command.execute(args);
  }

  private static int complain(CommandLine command, int code, Exception e) {
    command.getErr().println("bench: " + String.valueOf(e.getMessage()).lines().findFirst().get());
    return code;
  }
}
