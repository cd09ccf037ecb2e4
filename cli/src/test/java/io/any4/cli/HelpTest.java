package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;

class HelpTest {
    static Stream<String> verbs() {
        return line().getSubcommands().keySet().stream();
    }

    private static CommandLine line() {
        return Main.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void everyVerbExplainsItselfAndItsArguments(String verb) {
        Cli.Result help = Cli.run(verb, "--help");
        assertThat(help.code()).isZero();
        assertThat(help.out()).startsWith("Usage: any4j " + verb).contains("--threads");
        CommandLine command = Objects.requireNonNull(line().getSubcommands().get(verb));
        for (ArgSpec argument : command.getCommandSpec().args()) {
            assertThat(argument.description()).as("%s %s", verb, argument).isNotEmpty();
        }
    }

    @Test
    void theOverviewNamesEveryVerbAndTheExitCodes() {
        Cli.Result help = Cli.run("--help");
        assertThat(help.code()).isZero();
        assertThat(help.out()).contains(verbs().toArray(String[]::new)).contains("Exit codes:");
    }

    @Test
    void theVersionIsThatOfTheBuild() {
        assertThat(Cli.run("--version").out()).matches("(?s)any4j \\d+\\.\\d+.*Java 2\\d.*");
    }
}
