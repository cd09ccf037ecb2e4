package io.any4.cli;

import io.any4.checkpoint.SafetensorsWriter;
import io.any4.model.Decoder;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "logits",
        description = {
            "Write the logits of a sequence of token ids, to compare with other frameworks.",
            "",
            "The output is a safetensors file with one F32 tensor \"logits\" [1, tokens, vocabulary]; position i predicts token i + 1."
        })
final class LogitsCommand implements Callable<Integer> {
    /// Positions whose logits are asked for at once.
    private static final int SLICE = 16;

    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory, quantized or not.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Option(
            names = "--ids",
            paramLabel = "ID",
            required = true,
            split = ",",
            description = "Token ids, such as 1,17,42.")
    @SuppressWarnings("NullAway.Init")
    int[] ids;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "The safetensors file to write.")
    @SuppressWarnings("NullAway.Init")
    Path output;

    @Option(
            names = "--rope-dtype",
            paramLabel = "TYPE",
            defaultValue = "f32",
            description =
                    "Type of the rotary frequencies: f32, or bf16 or f16 to compare with logits of a model that was cast to that type "
                            + "as a whole, buffers included. Default: ${DEFAULT-VALUE}.")
    String ropeType = "f32";

    @Override
    public Integer call() {
        DType type = ropeType();
        try (Device device = root.openDevice();
                LoadedModel loaded = LoadedModel.open(
                        model, device, config -> config.withRope(config.rope().rounded(type)));
                Arena arena = Arena.ofConfined()) {
            SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("logits", logits(loaded.decoder(), arena));
            SafetensorsWriter.write(output, tensors, Map.of("format", "pt"));
        }
        return 0;
    }

    private DType ropeType() {
        return switch (ropeType) {
            case "f32" -> DType.F32;
            case "bf16" -> DType.BF16;
            case "f16" -> DType.F16;
            default ->
                throw new ParameterException(
                        spec.commandLine(), "--rope-dtype can be f32, bf16 or f16, not " + ropeType);
        };
    }

    private Tensor logits(Decoder decoder, Arena arena) {
        int vocabulary = decoder.config().vocabSize();
        Buffer hidden = decoder.forward(ids, decoder.newCache(ids.length));
        Tensor logits = Tensor.allocate(arena, DType.F32, 1, ids.length, vocabulary);
        float[] slice = new float[Math.multiplyExact(Math.min(SLICE, ids.length), vocabulary)];
        for (int from = 0; from < ids.length; from += SLICE) {
            int count = Math.min(SLICE, ids.length - from);
            decoder.logits(hidden, from, count, slice);
            long at = 4L * from * vocabulary;
            MemorySegment.copy(slice, 0, logits.data(), Tensor.FLOAT, at, count * vocabulary);
        }
        return logits;
    }
}
