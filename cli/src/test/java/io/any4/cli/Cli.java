package io.any4.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/// Runs the whole command line in this process.
final class Cli {
    private Cli() {}

    /// What a run printed, and its exit code.
    record Result(int code, String out, String err) {}

    /// Runs `any4j ARGUMENTS`; arguments may be any objects.
    static Result run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new);
        int code = Main.commandLine(new PrintWriter(out), new PrintWriter(err)).execute(words);
        return new Result(code, out.toString(), err.toString());
    }
}
