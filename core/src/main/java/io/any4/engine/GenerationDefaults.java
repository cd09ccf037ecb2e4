package io.any4.engine;

import io.any4.checkpoint.JsonFiles;
import io.any4.model.ModelConfig;
import io.any4.tinygemm.Sampling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// How the makers of a model want it sampled: its generation_config.json.
///
/// @param stopIds tokens that end a sequence, those of config.json included
public record GenerationDefaults(double temperature, int topK, double topP, Set<Integer> stopIds) {
    public GenerationDefaults {
        stopIds = Set.copyOf(stopIds);
    }

    /// Reads a model directory; without generation_config.json the whole distribution is drawn from.
    public static GenerationDefaults read(Path modelDirectory, ModelConfig config) {
        Path file = modelDirectory.resolve("generation_config.json");
        JsonNode json = Files.exists(file) ? JsonFiles.read(file) : JsonFiles.object();
        Set<Integer> stops = new LinkedHashSet<>(config.eosIds());
        JsonNode eos = json.path("eos_token_id");
        if (eos.isInt()) {
            stops.add(eos.intValue());
        }
        for (JsonNode id : eos) {
            stops.add(id.asInt());
        }
        return new GenerationDefaults(
                json.path("temperature").asDouble(1),
                json.path("top_k").asInt(0),
                json.path("top_p").asDouble(1),
                stops);
    }

    /// These defaults with a seed.
    public Sampling sampling(long seed) {
        return new Sampling(temperature, topK, topP, seed);
    }
}
