package io.any4.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The command without a verb, and the options that every verb shares.
@Command(
        name = "any4j",
        versionProvider = Version.class,
        commandListHeading = "%nVerbs:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:internal error",
            "2:the command line is wrong",
            "3:an input cannot be used, or an output cannot be written"
        },
        header = "Quantize language models with a learned number format, measure what it cost, and run them.%n",
        description =
                "%nMODEL is always a directory with a Hugging Face checkpoint: config.json, *.safetensors, tokenizer.json.",
        footer = "%nStart with 'any4j demo'. Each verb explains itself: any4j VERB --help.",
        subcommands = {
            InspectCommand.class,
        })
final class Any4Command implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Option(
            names = "--threads",
            paramLabel = "N",
            scope = ScopeType.INHERIT,
            description = "Threads to compute with. Default: one per processor.")
    @Nullable
    Integer threads;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            scope = ScopeType.INHERIT,
            defaultValue = "cpu",
            description = "What to compute on. Default: cpu.")
    @SuppressWarnings("NullAway.Init")
    String device;

    @Option(names = "--no-progress", scope = ScopeType.INHERIT, description = "Show no progress.")
    boolean noProgress;

    @Option(
            names = {"-q", "--quiet"},
            scope = ScopeType.INHERIT,
            description = "Print results only: no progress, no notes.")
    boolean quiet;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print the stack trace of an error.")
    boolean verbose;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "name a verb: any4j VERB");
    }
}
