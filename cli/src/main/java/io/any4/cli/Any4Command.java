package io.any4.cli;

import io.any4.tinygemm.Accelerator;
import io.any4.tinygemm.Activations;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
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
            DemoCommand.class,
            QuantizeCommand.class,
            CompareCommand.class,
            AblateCommand.class,
            GenerateCommand.class,
            PerplexityCommand.class,
            EvalCommand.class,
            BenchCommand.class,
            LogitsCommand.class,
            InspectCommand.class,
            DoctorCommand.class,
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
            description =
                    "What to compute on: cpu, or cuda, cuda:1, ... where there is such a GPU; see 'any4j doctor'. Default: cpu.")
    @SuppressWarnings("NullAway.Init")
    String device;

    @Option(
            names = "--accelerator",
            paramLabel = "NAME",
            scope = ScopeType.INHERIT,
            defaultValue = "none",
            description =
                    "What multiplies prompts on the processor: none (plain Java), or onednn, which rounds to bf16 and is faster; see 'any4j doctor'. Default: none.")
    @SuppressWarnings("NullAway.Init")
    String accelerator;

    @Option(
            names = "--activations",
            paramLabel = "TYPE",
            scope = ScopeType.INHERIT,
            description = {
                "What the processor multiplies quantized weights with: f32; int14, which rounds to 14 bits, is up to three "
                        + "times as fast and changes perplexity in the sixth digit; or int8, which takes three fifths of that "
                        + "time for prompts and less than half for several texts at once, and changes perplexity in the "
                        + "fourth digit.",
                "Default: int14 to run a model where the processor can; f32 to measure its quality."
            })
    @Nullable
    Activations activations;

    @Option(
            names = "--require",
            paramLabel = "WHAT",
            scope = ScopeType.INHERIT,
            description = "Fail rather than compute without it: vector (SIMD kernels), cuda (an NVIDIA GPU).")
    @Nullable
    Requirement require;

    @Option(names = "--no-progress", scope = ScopeType.INHERIT, description = "Show no progress.")
    boolean noProgress;

    @Option(
            names = {"-q", "--quiet"},
            scope = ScopeType.INHERIT,
            description = "Print results only: no progress, no notes.")
    boolean quiet;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print the stack trace of an error.")
    boolean verbose;

    enum Requirement {
        VECTOR,
        CUDA
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "name a verb: any4j VERB");
    }

    /// The device that the options ask for, to measure a model's quality on; the caller closes it.
    Device openDevice() {
        return openDevice(Activations.F32);
    }

    /// The device that the options ask for, to run a model on; the caller closes it.
    Device openDeviceToRun() {
        return openDevice(accelerator.equals(Devices.NONE) ? CpuOptions.activationsToRun() : Activations.F32);
    }

    private Device openDevice(Activations usual) {
        if (!device.equals(Devices.CPU)) {
            requireCpuFor(!accelerator.equals(Devices.NONE), "--accelerator");
            requireCpuFor(activations != null, "--activations");
            requireCpuFor(require == Requirement.VECTOR, "--require vector");
            return Devices.open(device, spec);
        }
        if (require == Requirement.CUDA) {
            throw new ParameterException(spec.commandLine(), "--require cuda also needs --device cuda");
        }
        if (activations != null && activations != Activations.F32 && !accelerator.equals(Devices.NONE)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--accelerator multiplies floats: leave --accelerator out, or choose --activations f32");
        }
        Accelerator chosen = accelerator.equals(Devices.NONE) ? null : Devices.accelerator(accelerator, spec);
        return CpuDevice.open(new CpuOptions(
                threads(), require == Requirement.VECTOR, chosen, activations == null ? usual : activations));
    }

    private void requireCpuFor(boolean used, String option) {
        if (used) {
            throw new ParameterException(spec.commandLine(), option + " goes with --device cpu only");
        }
    }

    /// Threads to compute with.
    int threads() {
        if (threads != null && threads < 1) {
            throw new ParameterException(spec.commandLine(), "--threads must be 1 or more, not " + threads);
        }
        return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    }
}
