package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.calibrate.QuantizationTime;
import io.any4.checkpoint.SafetensorsFile;
import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The verbs, one after the other, on a small model.
class WorkflowTest {
    @TempDir
    Path directory;

    private Path model;
    private Path output;
    private Path text;

    @BeforeEach
    void writeInputs() throws IOException {
        model = TinyLlama.write(directory.resolve("a model"));
        output = directory.resolve("out");
        text = Files.writeString(
                directory.resolve("text.txt"), "The sea was calm, and the ship lay still. ".repeat(20));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--method any4 --group-size 16",
                "--method any3 --kmeans exact --weighting mean-abs --table matrix",
                "--method any2 --symmetric --group-size row --sequential",
                "--method int4 --zero-point integer --scale-dtype f32",
                "--method int8 --include-embeddings",
                "--method nf4 --skip *.v_proj --override *.down_proj=group-size=32",
                "--method mx4 --threads 1",
                "--method fpq-w4a16 --group-size 32",
                "--method fpq-w4a8 --override *.v_proj=any4",
                "--method fpq-w4a4 --include-embeddings",
                "--method any4 --kmeans lloyd --seed 3 --samples 2 --seqlen 16",
                "--method any4s --gptaq --calibration self --samples 5 --seqlen 20"
            })
    void quantizedModelsAreAsLargeAsAnnouncedAndRun(String options) throws IOException {
        Object[] command = command(options, "--json");
        long announced = json(with(command, "--dry-run")).get("bytes").asLong();
        assertThat(output).doesNotExist();
        JsonNode done = json(command);
        assertThat(done.get("relativeError").asDouble()).isBetween(1e-6, 0.6);
        assertThat(done.get("bytes").asLong()).isEqualTo(announced).isEqualTo(bytes(output));

        JsonNode facts = json("inspect", output, "--json");
        assertThat(facts.get("of the blocks' matrices").asDouble()).isLessThan(16);
        assertThat(facts.get("parameters"))
                .isEqualTo(json("inspect", model, "--json").get("parameters"));
        assertThat(json("perplexity", output, "--text", text, "--json")
                        .get("perplexity")
                        .asDouble())
                .isBetween(1.0, 1e6);
        assertThat(json("generate", output, "Once", "--max-tokens", 4, "--json").get("ids"))
                .isNotEmpty();
    }

    @Test
    void theSameSeedGivesTheSameBytes() throws IOException {
        Path again = directory.resolve("again");
        succeed("quantize", model, "-o", output, "--kmeans", "lloyd", "--seed", 5, "--threads", 1);
        succeed("quantize", model, "-o", again, "--kmeans", "lloyd", "--seed", 5, "--threads", 2);
        for (String file : List.of("model.safetensors", "config.json", "tokenizer.json")) {
            assertThat(again.resolve(file)).hasSameBinaryContentAs(output.resolve(file));
        }
    }

    @Test
    void feedbackAndScalingComeNearerToTheOriginal() throws IOException {
        double plain = divergence("plain", "-m", "int3", "-g", "32");
        assertThat(divergence("gptq", "-m", "int3", "-g", "32", "--gptq")).isLessThan(plain);
        assertThat(divergence("both", "-m", "int3", "-g", "32", "--awq", "--gptq", "--calibration", text))
                .isLessThan(plain);
        assertThat(divergence("gptaq", "-m", "int3", "-g", "32", "--gptaq", "--calibration", "self"))
                .isLessThan(plain);
        Cli.Result both = Cli.run("quantize", model, "-o", output, "--awq", "--rotate");
        assertThat(both.code()).isEqualTo(2);
        assertThat(both.err()).contains("choose --rotate or --awq");
    }

    private double divergence(String name, Object... options) throws IOException {
        Path quantized = directory.resolve(name);
        Object[] command = new Object[options.length + 4];
        System.arraycopy(new Object[] {"quantize", model, "-o", quantized}, 0, command, 0, 4);
        System.arraycopy(options, 0, command, 4, options.length);
        succeed(command);
        return klOf(json("compare", model, quantized, "--text", text, "--json"));
    }

    private static double klOf(JsonNode comparison) {
        return comparison.findValues("kl").stream()
                .mapToDouble(JsonNode::asDouble)
                .max()
                .orElseThrow();
    }

    @Test
    void cachesCanBeQuantized() throws IOException {
        Path demo = Path.of("..", "models", "demo"); // its context spans several blocks
        double exact = json("perplexity", demo, "--text", text, "--json")
                .get("perplexity")
                .asDouble();
        double quantized = json("perplexity", demo, "--text", text, "--kv-cache", "any3", "--json")
                .get("perplexity")
                .asDouble();
        assertThat(quantized).isNotEqualTo(exact).isCloseTo(exact, within(0.2 * exact));
        double halved = json("perplexity", demo, "--text", text, "--kv-cache", "f16", "--json")
                .get("perplexity")
                .asDouble();
        assertThat(halved).isNotEqualTo(exact).isCloseTo(exact, within(1e-4 * exact));
        assertThat(json("generate", demo, "Once", "--max-tokens", 4, "--kv-cache", "int8", "--json")
                        .get("ids"))
                .isNotEmpty();
        Cli.Result unknown = Cli.run("generate", demo, "Once", "--kv-cache", "any5");
        assertThat(unknown.code()).isEqualTo(2);
        assertThat(unknown.err()).contains("a cache cannot have the format any5");
    }

    @Test
    void rotatedModelsRunAndAreCompared() throws IOException {
        Path second = directory.resolve("second");
        succeed("quantize", model, "-o", output, "-m", "int8", "--rotate", "--seed", 4);
        succeed("quantize", model, "-o", second, "-m", "int8", "-g", 16);
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("a model", "out", "second", "text.txt");
        }
        assertThat(json("inspect", output, "--json")
                        .at("/quantization_config/input_transforms/0/type")
                        .asString())
                .isEqualTo("hadamard");
        JsonNode rows = json("compare", model, output, second, "--text", text, "--json");
        assertThat(rows.at("/1/divergence/kl").asDouble()).isBetween(0.0, 0.01);
        assertThat(rows.at("/1/relativeError").asString()).isEqualTo("NaN");
        assertThat(rows.at("/2/relativeError").asDouble()).isPositive();
        Cli.Result dry = Cli.run("quantize", model, "-o", directory.resolve("dry"), "--rotate", "--dry-run");
        assertThat(dry.code()).isEqualTo(2);
        assertThat(dry.err()).contains("--dry-run cannot be combined with --rotate");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-m any4s --gptq", "-m int4 --gptaq", "-m fpq-w4a16 --gptq", "-m fpq-w4a8", "-m fpq-w4a4"})
    void rotationGoesWithFeedbackAndFloats(String options) throws IOException {
        Object[] words = options.split(" ");
        double plain = divergence("plain", words);
        double rotated = divergence(
                "rotated",
                Stream.concat(Stream.of(words), Stream.of("--rotate")).toArray());
        assertThat(rotated).isPositive().isNotEqualTo(plain).isLessThan(4 * plain);
        JsonNode steps =
                json("inspect", directory.resolve("rotated"), "--json").at("/quantization_config/input_transforms");
        assertThat(steps.findValuesAsString("type")).startsWith("hadamard", "hadamard");
        assertThat(steps.findValuesAsString("type").contains("float"))
                .isEqualTo(options.contains("w4a8") || options.contains("w4a4"));
    }

    @Test
    void bitsAreKeptOnAverage() throws IOException {
        Path plan = directory.resolve("plan.json");
        JsonNode done = json("quantize", model, "-o", output, "--bits", 9, "--save-bits", plan, "--json");
        assertThat(done.get("bitsPerWeight").asDouble()).isBetween(4.0, 9.0);
        JsonNode layers = JsonMapper.shared().readTree(Files.readString(plan));
        assertThat(layers).isEqualTo(done.get("allocation")).isNotEmpty();
        JsonNode overrides = json("inspect", output, "--json").at("/quantization_config/overrides");
        for (JsonNode layer : layers) {
            assertThat(layer.get("settings").asString()).startsWith("method=");
            assertThat(layer.get("sensitivity").asDouble()).isNotNegative();
            assertThat(overrides.has(layer.get("module").asString())
                            || layer.get("settings").asString().equals("method=any4,group-size=128"))
                    .isTrue();
        }
        succeed("perplexity", output, "--text", text);
        Path other = directory.resolve("other");
        assertThat(Cli.run("quantize", model, "-o", other, "--bits", 1.5).code())
                .isEqualTo(3);
        assertThat(Cli.run("quantize", model, "-o", other, "--bits", 4, "-m", "nf4")
                        .err())
                .contains("nf4 has no forms of 2, 3 and 8 bits");
        assertThat(Cli.run("quantize", model, "-o", other, "--bits", 4, "-g", 32)
                        .code())
                .isEqualTo(2);
        Cli.Result text = succeed("quantize", model, "-o", other, "--bits", 5, "-m", "int4", "--dry-run");
        assertThat(text.out()).contains("sensitivity", "bits per weight on average");
    }

    @Test
    void calibrationOnAFileIsRecorded() throws IOException {
        succeed("quantize", model, "-o", output, "--calibration", text, "--samples", 3, "--seqlen", 20, "--seed", 9);
        JsonNode calibration = json("inspect", output, "--json").at("/quantization_config/calibration");
        assertThat(calibration.get("dataset").asString()).isEqualTo("text.txt");
        assertThat(calibration.get("samples").asInt()).isEqualTo(3);
        assertThat(calibration.get("seqlen").asInt()).isEqualTo(20);
        assertThat(calibration.get("seed").asInt()).isEqualTo(9);
    }

    @Test
    void logitsAreWrittenForEveryPosition() throws IOException {
        String ids = String.join(
                ",", IntStream.range(5, 45).mapToObj(String::valueOf).toList());
        Path file = directory.resolve("logits.safetensors");
        succeed("logits", model, "--ids", ids, "-o", file);
        Path prefix = directory.resolve("prefix.safetensors");
        succeed("logits", model, "--ids", "5,6,7", "-o", prefix);
        try (SafetensorsFile all = SafetensorsFile.open(file);
                SafetensorsFile some = SafetensorsFile.open(prefix)) {
            Tensor logits = all.tensor("logits");
            assertThat(logits.dtype()).isEqualTo(DType.F32);
            assertThat(logits.shape()).isEqualTo(Shape.of(1, 40, 2048));
            assertThat(some.tensor("logits").toFloats())
                    .containsExactly(Arrays.copyOf(logits.toFloats(), 3 * 2048), within(1e-4f));
        }
    }

    @Test
    void perplexityIsTheSameAsTextAndAsJson() throws IOException {
        JsonNode json = json("perplexity", model, "--text", text, "--window", 32, "--json");
        assertThat(json.get("window").asInt()).isEqualTo(32);
        assertThat(json.get("predictions").asInt())
                .isEqualTo(31 * json.get("windows").asInt());
        Cli.Result plain = succeed("perplexity", model, "--text", text, "--window", 32);
        assertThat(plain.out())
                .contains("perplexity %.4f".formatted(json.get("perplexity").asDouble()));
    }

    @Test
    void aShortTextIsMeasuredInOneWindowAndSaysSo() throws IOException {
        Path brief = Files.writeString(directory.resolve("brief.txt"), "The sea was calm.");
        Cli.Result result = succeed("perplexity", model, "--text", brief);
        assertThat(result.out()).contains("1 windows of");
        assertThat(result.err()).contains("brief.txt has only");
        assertThat(succeed("perplexity", model, "--text", brief, "--quiet").err())
                .isEmpty();
    }

    @Test
    void generationRepeatsItselfForOneSeedOnly() throws IOException {
        Object[] command = {"generate", model, "Once upon a time", "--max-tokens", 12, "--temperature", 1.5};
        String one = succeed(with(command, "--seed", 1)).out();
        assertThat(one).startsWith("Once upon a time");
        assertThat(succeed(with(command, "--seed", 1)).out()).isEqualTo(one);
        assertThat(succeed(with(command, "--seed", 2)).out()).isNotEqualTo(one);
    }

    @Test
    void comparisonsShowEveryModel() throws IOException {
        Path second = directory.resolve("second");
        Path report = directory.resolve("report.html");
        succeed("quantize", model, "-o", output, "-g", 16);
        succeed("quantize", model, "-o", second, "-m", "int2", "-g", 16);
        Cli.Result table =
                succeed("compare", model, output, second, "--text", text, "--report", report, "--prompt", "The sea");
        assertThat(table.out().lines()).hasSize(4);
        assertThat(table.out()).contains("a model", "out", "second", "KL", "top-1");
        assertThat(report).content().contains("<td>", "mlp.down_proj", "any4j compare", "The sea");
        JsonNode rows = json("compare", model, output, second, "--text", text, "--json");
        assertThat(rows).hasSize(3);
        assertThat(rows.at("/1/divergence/kl").asDouble())
                .isGreaterThan(0)
                .isLessThan(rows.at("/2/divergence/kl").asDouble());
    }

    @Test
    void comparisonsQuantizeWhatDoesNotExistYet() throws IOException {
        succeed("quantize", model, "-o", output, "-m", "any2", "-g", 16);
        Path kept = directory.resolve("kept");
        Object[] compare = {"compare", model, output, "--text", text, "-g", 16, "--json", "--keep", kept};
        JsonNode rows = json(with(compare, "--methods", "int4,any4s+gptq,paper+seed=3", "--calibration", text));
        assertThat(rows.findValuesAsString("name"))
                .containsExactly("a model", "out", "int4", "any4s+gptq", "paper+seed=3");
        assertThat(rows.at("/0/quantizationTime").isNull()).isTrue();
        for (int i = 1; i < 5; i++) {
            assertThat(rows.get(i).at("/quantizationTime/seconds").asDouble()).isPositive();
            assertThat(rows.get(i).at("/quantizationTime/cpuSeconds").asDouble())
                    .isPositive();
        }
        Path spelled = directory.resolve("spelled");
        succeed("quantize", model, "-o", spelled, "-m", "any4s", "--gptq", "--calibration", text);
        assertThat(kept.resolve("any4s+gptq/model.safetensors"))
                .hasSameBinaryContentAs(spelled.resolve("model.safetensors"));
        JsonNode settings =
                json("inspect", kept.resolve("paper+seed=3"), "--json").get("quantization_config");
        assertThat(settings.toString()).contains("lloyd", "seed=3", "group-size=16");
    }

    @Test
    void aTemporaryWorkplaceGoesAwayWithWhatIsInIt() throws IOException {
        Path place;
        try (Workplace workplace = Workplace.open(null)) {
            place = workplace.directory();
            succeed("quantize", model, "-o", place.resolve("out"), "-m", "int4");
        }
        assertThat(place).doesNotExist();
    }

    @Test
    void theDemoWorksForOtherModels() throws IOException {
        Path report = directory.resolve("report.html");
        Path kept = directory.resolve("kept");
        Cli.Result result =
                succeed("demo", "--model", model, "--text", text, "--report", report, "--keep", kept, "-g", 16);
        assertThat(result.out()).contains("bf16", "int4", "fp4", "nf4", "any4", "int3", "any3", "int2", "any2");
        assertThat(result.out()).contains("any4 writes:");
        assertThat(report).content().contains("histogram", "any2");
        try (Stream<Path> models = Files.list(kept)) {
            assertThat(models).hasSize(8);
        }
    }

    @Test
    void theDoctorNamesTheDevice() throws IOException {
        assertThat(succeed("doctor", "--threads", 1).out()).contains("cpu:", "1 thread", "java");
        assertThat(json("doctor", "--json").get("device").asString()).startsWith("cpu:");
    }

    private Object[] command(String options, String more) {
        return Stream.of(Stream.of("quantize", model, "-o", output), Stream.of(options.split(" ", -1)), Stream.of(more))
                .flatMap(words -> words)
                .toArray();
    }

    private static Object[] with(Object[] command, Object... more) {
        return Stream.concat(Stream.of(command), Stream.of(more)).toArray();
    }

    private static Cli.Result succeed(Object... command) {
        Cli.Result result = Cli.run(command);
        assertThat(result.code()).as(result.err()).isZero();
        return result;
    }

    private static JsonNode json(Object... command) {
        return JsonMapper.shared().readTree(succeed(command).out());
    }

    private static long bytes(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> !file.endsWith(QuantizationTime.FILE))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }
}
