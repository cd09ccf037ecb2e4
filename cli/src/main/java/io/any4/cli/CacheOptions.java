package io.any4.cli;

import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.model.KvFormat;
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
            description =
                    "Hold keys and values in f32, f16 or bf16; or in int8, int4, nf4, any4 or another format of weights, which "
                            + "takes a fraction of the memory and more time. Default: f32.")
    @Nullable
    String format;

    /// Sets the format for caches made from now on.
    void apply(Decoder decoder) {
        if (format == null) {
            return;
        }
        try {
            decoder.cacheFormat(KvFormat.parse(format));
        } catch (InvalidInputException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
