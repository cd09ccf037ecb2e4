package io.any4.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A program that [Peers] measures by running it.
///
/// @param weights what it runs, for the table
interface Contestant {
    String name();

    String weights();

    /// Runs the program once, which warms up before it measures.
    Speeds run(int threads, int prompt, int generated) throws IOException, InterruptedException;

    /// Tokens per second of one run.
    record Speeds(double prompt, double generation, String version) {}

    /// This project, through its command line.
    ///
    /// @param options such as `--accelerator onednn`
    static Contestant any4j(Path model, String... options) {
        String name = options.length == 0 ? "any4j" : "any4j, " + String.join(" ", options);
        return new Program(name, "any4, groups of 128") {
            @Override
            List<String> command(int threads, int prompt, int generated) {
                List<String> command = new ArrayList<>(
                        List.of("./any4j", "--threads", text(threads), "bench", model.toString(), "--format", "json"));
                command.addAll(List.of("--prompt-tokens", text(prompt), "--generated-tokens", text(generated)));
                command.addAll(List.of("--repetitions", "2"));
                command.addAll(List.of(options));
                return command;
            }

            @Override
            Speeds read(JsonNode json) {
                return new Speeds(
                        json.required("pp_per_second").asDouble(),
                        json.required("tg_per_second").asDouble(),
                        json.required("device").asString());
            }
        };
    }

    static Contestant llamaCpp(Path llamaBench, Path model, String type) {
        return new Program("llama.cpp " + type, type) {
            @Override
            List<String> command(int threads, int prompt, int generated) {
                return List.of(
                        llamaBench.toString(),
                        "-m",
                        model.toString(),
                        "-t",
                        text(threads),
                        "-p",
                        text(prompt),
                        "-n",
                        text(generated),
                        "-r",
                        "2",
                        "-o",
                        "json");
            }

            @Override
            Speeds read(JsonNode json) {
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
                return new Speeds(prompt, generation, version);
            }
        };
    }

    /// Built by `bench/peers` from `bench/jlama`.
    static Contestant jlama(Path model) {
        return new Program("Jlama", "Q4") {
            @Override
            List<String> command(int threads, int prompt, int generated) {
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
                        text(threads),
                        text(prompt),
                        text(generated));
            }

            @Override
            Speeds read(JsonNode json) {
                return new Speeds(
                        json.required("pp_per_second").asDouble(),
                        json.required("tg_per_second").asDouble(),
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

        abstract List<String> command(int threads, int prompt, int generated);

        abstract Speeds read(JsonNode json);

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
        public final Speeds run(int threads, int prompt, int generated) throws IOException, InterruptedException {
            List<String> command = command(threads, prompt, generated);
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException("this failed, run it by itself to see why: " + String.join(" ", command));
            }
            return read(JsonMapper.shared().readTree(output));
        }
    }
}
