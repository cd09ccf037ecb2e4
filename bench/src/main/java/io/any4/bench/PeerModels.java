package io.any4.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The models that [Peers] runs, written when first asked for; system property `peers.models` names the folder.
final class PeerModels {
    private final Path folder = Path.of(System.getProperty("peers.models", "bench/target/models"));

    /// any4 in groups of 128.
    Path any4() throws IOException {
        Path model = folder.resolve("any4-1b");
        if (!Files.exists(model.resolve("config.json"))) {
            RandomModel.main(new String[] {model.toString()});
        }
        return model;
    }

    /// One ggml type throughout.
    Path gguf(String type) throws IOException {
        Path file = folder.resolve(type + ".gguf");
        if (!Files.exists(file)) {
            Path part = folder.resolve(type + ".part");
            GgufModel.main(new String[] {part.toString(), type});
            Files.move(part, file);
        }
        return file;
    }

    /// BF16, for Jlama to quantize.
    Path bf16() throws IOException {
        Path model = folder.resolve("bf16-1b");
        if (!Files.exists(model.resolve("README.md"))) {
            RandomDenseModel.main(new String[] {model.toString(), "models/demo"});
            Files.writeString(model.resolve("README.md"), "Random weights. Jlama copies this file.\n");
        }
        return model;
    }
}
