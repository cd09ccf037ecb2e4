package io.any4.cli;

import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.model.KvFormat;
import io.any4.tinygemm.CpuDevice;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The option that says how a model remembers keys and values.
final class CacheOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Option(
            names = "--kv-cache",
            paramLabel = "FORMAT",
            description = {
                "Hold keys and values in f32, f16 or bf16; or in int8, int4, nf4, any4 or another format of weights, which "
                        + "takes a fraction of the memory and more time.",
                "Default: f16 to run a model on the processor, which changes its perplexity in the sixth digit; f32 to "
                        + "measure its quality, and on other devices."
            })
    @Nullable
    String format;

    /// Sets the format for caches made from now on, to run a model.
    void applyToRun(Decoder decoder) {
        apply(decoder, decoder.device() instanceof CpuDevice ? KvFormat.F16 : KvFormat.F32);
    }

    /// Sets the format for caches made from now on, to measure a model's quality.
    void applyToMeasure(Decoder decoder) {
        apply(decoder, KvFormat.F32);
    }

    private void apply(Decoder decoder, KvFormat usual) {
        try {
            decoder.cacheFormat(format == null ? usual : KvFormat.parse(format));
        } catch (InvalidInputException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
