package io.any4.cli;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.ModelConfig;
import io.any4.tensor.Tensor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "inspect",
        description = {
            "Show what a checkpoint holds: architecture, size, bits per weight, quantization settings, tensors.",
            "",
            "Only headers are read, so this is quick for models of any size."
        })
final class InspectCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory, quantized or not.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Option(
            names = "--tensors",
            description = "List every tensor, rather than one line for the same tensor of all blocks.")
    boolean tensors;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Map<String, Object> facts = facts(checkpoint);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                facts.put("quantization_config", checkpoint.config().path("quantization_config"));
                facts.put("tensors", names(checkpoint));
                out.println(Json.line(facts));
            } else {
                facts.forEach((what, fact) -> out.printf("%-24s %s%n", what, fact));
                printQuantization(checkpoint.config().path("quantization_config"), out);
                out.println();
                printTensors(checkpoint, out);
            }
        }
        return 0;
    }

    private static Map<String, Object> facts(Checkpoint checkpoint) {
        ModelConfig config = ModelConfig.parse(checkpoint.config());
        CheckpointSummary summary = CheckpointSummary.of(checkpoint);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("architecture", config.architecture().name().toLowerCase(Locale.ROOT));
        facts.put("blocks", config.layers());
        facts.put("hidden size", config.hiddenSize());
        facts.put("intermediate size", config.intermediateSize());
        facts.put("heads", config.heads());
        facts.put("key-value heads", config.kvHeads());
        facts.put("vocabulary", config.vocabSize());
        facts.put("context", config.contextLength());
        facts.put("tied embeddings", config.tiedEmbeddings());
        facts.put("parameters", summary.parameters());
        facts.put("tensor bytes", summary.bytes());
        facts.put("bits per weight", round(summary.bitsPerWeight()));
        facts.put("of the blocks' matrices", round(summary.linearBitsPerWeight()));
        facts.put("weights", summary.settings());
        return facts;
    }

    private static double round(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private static void printQuantization(JsonNode quantization, PrintWriter out) {
        if (!quantization.isObject()) {
            return;
        }
        out.println();
        out.println("quantization_config");
        quantization.properties().forEach(entry -> out.printf("  %-22s %s%n", entry.getKey(), entry.getValue()));
    }

    private Map<String, String> names(Checkpoint checkpoint) {
        Map<String, String> names = new LinkedHashMap<>();
        for (String name : checkpoint.names()) {
            Tensor tensor = checkpoint.tensor(name);
            names.put(name, tensor.dtype().safetensorsName() + " " + tensor.shape());
        }
        return names;
    }

    private void printTensors(Checkpoint checkpoint, PrintWriter out) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        names(checkpoint).forEach((name, type) -> {
            String line = (tensors ? name : name.replaceAll("\\.\\d+\\.", ".*.")) + "\t" + type;
            counts.merge(line, 1, Integer::sum);
        });
        TextTable table = new TextTable("tensor", "type and shape", "count");
        counts.forEach((line, count) -> table.add(
                line.substring(0, line.indexOf('\t')), line.substring(line.indexOf('\t') + 1), String.valueOf(count)));
        table.print(out);
    }
}
