package io.any4.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A program that [Peers] measures by running it.
///
/// @param weights what it runs, for the table
interface Contestant {
    String name();

    String weights();

    /// Runs the program once, which warms up before it measures.
    Speeds run(Load load) throws IOException, InterruptedException;

    /// What is measured: processing a prompt of so many tokens, generating so many, and generating as many of
    /// each of `sequences` at once, if those are more than 1.
    record Load(int threads, int prompt, int generated, int sequences) {}

    /// Tokens per second of one run; those of all sequences are NaN where they were not measured.
    record Speeds(double prompt, double generation, double together, String version) {}

    /// This project, through its command line.
    ///
    /// @param options such as `--accelerator onednn`
    static Contestant any4j(Path model, String... options) {
        String name = options.length == 0 ? "any4j" : "any4j, " + String.join(" ", options);
        return new Program(name, "any4, groups of 128") {
            @Override
            List<String> command(Load load) {
                List<String> command = new ArrayList<>(List.of("./any4j", "bench", model.toString()));
                command.addAll(List.of("--threads", text(load.threads()), "--format", "json", "--repetitions", "2"));
                command.addAll(List.of("--prompt-tokens", text(load.prompt())));
                command.addAll(List.of("--generated-tokens", text(load.generated())));
                command.addAll(List.of("--batch", text(load.sequences())));
                command.addAll(List.of(options));
                return command;
            }

            @Override
            Speeds read(JsonNode json, Load load) {
                return new Speeds(
                        json.required("pp_per_second").asDouble(),
                        json.required("tg_per_second").asDouble(),
                        json.path("tg_batch%d_per_second".formatted(load.sequences()))
                                .asDouble(Double.NaN),
                        json.required("device").asString());
            }
        };
    }

    /// @param batchedBench llama-batched-bench, or null to measure one sequence only
    static Contestant llamaCpp(Path llamaBench, @Nullable Path batchedBench, Path model, String type) {
        return new Program("llama.cpp " + type, type) {
            @Override
            List<String> command(Load load) {
                return List.of(
                        llamaBench.toString(),
                        "-m",
                        model.toString(),
                        "-t",
                        text(load.threads()),
                        "-p",
                        text(load.prompt()),
                        "-n",
                        text(load.generated()),
                        "-r",
                        "2",
                        "-o",
                        "json");
            }

            @Override
            Speeds read(JsonNode json, Load load) throws IOException, InterruptedException {
                double prompt = 0;
                double generation = 0;
                for (JsonNode test : json) {
                    if (test.required("n_gen").asInt() == 0) {
                        prompt = test.required("avg_ts").asDouble();
                    } else {
                        generation = test.required("avg_ts").asDouble();
                    }
                }
                JsonNode first = json.required(0);
                String version = "build %s (%s)"
                        .formatted(
                                first.required("build_number").asString(),
                                first.required("build_commit").asString());
                return new Speeds(prompt, generation, together(load), version);
            }

            private double together(Load load) throws IOException, InterruptedException {
                if (batchedBench == null || load.sequences() == 1) {
                    return Double.NaN;
                }
                List<String> command = List.of(
                        batchedBench.toString(),
                        "-m",
                        model.toString(),
                        "-t",
                        text(load.threads()),
                        "-c",
                        text(load.sequences() * 2 * load.generated()),
                        "-npp",
                        "1",
                        "-ntg",
                        text(load.generated()),
                        "-npl",
                        text(load.sequences()),
                        "--output-format",
                        "jsonl");
                return output(command).required("speed_tg").asDouble();
            }
        };
    }

    /// Built by `bench/peers` from `bench/jlama`.
    static Contestant jlama(Path model) {
        return new Program("Jlama", "Q4") {
            @Override
            List<String> command(Load load) {
                return List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        "bench/jlama/target/classes:bench/jlama/target/lib/*",
                        "io.any4.bench.jlama.JlamaBench",
                        model.toString(),
                        model.resolveSibling("jlama-q4").toString(),
                        text(load.threads()),
                        text(load.prompt()),
                        text(load.generated()));
            }

            @Override
            Speeds read(JsonNode json, Load load) {
                return new Speeds(
                        json.required("pp_per_second").asDouble(),
                        json.required("tg_per_second").asDouble(),
                        Double.NaN,
                        json.required("version").asString());
            }
        };
    }

    /// A contestant that prints JSON.
    abstract class Program implements Contestant {
        private final String name;
        private final String weights;

        Program(String name, String weights) {
            this.name = name;
            this.weights = weights;
        }

        abstract List<String> command(Load load);

        abstract Speeds read(JsonNode json, Load load) throws IOException, InterruptedException;

        static String text(int number) {
            return String.valueOf(number);
        }

        @Override
        public final String name() {
            return name;
        }

        @Override
        public final String weights() {
            return weights;
        }

        @Override
        public final Speeds run(Load load) throws IOException, InterruptedException {
            return read(output(command(load)), load);
        }

        /// What a command prints.
        static JsonNode output(List<String> command) throws IOException, InterruptedException {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException("this failed, run it by itself to see why: " + String.join(" ", command));
            }
            return JsonMapper.shared().readTree(output);
        }
    }
}
