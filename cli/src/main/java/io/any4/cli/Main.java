package io.any4.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// Entry point of the `any4j` command.
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int code = commandLine(out, err).execute(args);
        out.flush();
        err.flush();
        System.exit(code);
    }

    /// The whole command line, printing to the given writers.
    static CommandLine commandLine(PrintWriter out, PrintWriter err) {
        CommandLine line = new CommandLine(new Any4Command());
        line.setOut(out);
        line.setErr(err);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(Failures::usage);
        line.setExecutionExceptionHandler(Failures::execution);
        style(line.getCommandSpec());
        return line;
    }

    /// Gives a verb and those below it the same help.
    private static void style(CommandSpec spec) {
        spec.mixinStandardHelpOptions(true);
        spec.usageMessage()
                .autoWidth(true)
                .sortOptions(false)
                .synopsisHeading("Usage: ")
                .parameterListHeading("%nArguments:%n")
                .optionListHeading("%nOptions:%n");
        spec.subcommands().values().forEach(verb -> style(verb.getCommandSpec()));
    }
}
