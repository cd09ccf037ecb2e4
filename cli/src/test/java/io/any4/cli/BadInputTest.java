package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bad input gets one sentence and an exit code, and leaves nothing behind.
class BadInputTest {
    private static final int USAGE = 2;
    private static final int INPUT = 3;

    @TempDir
    Path directory;

    private Path model;
    private Path output;
    private Path text;

    @BeforeEach
    void writeInputs() throws IOException {
        model = TinyLlama.write(directory.resolve("model"));
        output = directory.resolve("out");
        text = Files.writeString(directory.resolve("text.txt"), "A plain text. ".repeat(40));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantize", "perplexity", "generate", "logits", "inspect", "compare"})
    void aMissingDirectory(String verb) throws IOException {
        model = directory.resolve("absent");
        refuse(INPUT, "absent does not exist: check the path", command(verb));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantize", "perplexity", "generate", "logits", "inspect", "compare"})
    void aFileInsteadOfADirectory(String verb) throws IOException {
        model = text;
        refuse(INPUT, "text.txt is a file: name the directory", command(verb));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantize", "perplexity", "generate", "logits", "inspect", "compare"})
    void noSafetensors(String verb) throws IOException {
        Files.delete(model.resolve("model.safetensors"));
        refuse(INPUT, "safetensors", command(verb));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantize", "perplexity", "generate", "logits", "inspect", "compare"})
    void aTruncatedFile(String verb) throws IOException {
        resize(-1000);
        refuse(INPUT, "model.safetensors", command(verb));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantize", "perplexity", "generate", "logits", "inspect", "compare"})
    void aHeaderLengthBeyondTheFile(String verb) throws IOException {
        try (RandomAccessFile file = open()) {
            file.writeLong(Long.reverseBytes(1L << 40));
        }
        refuse(INPUT, "header", command(verb));
    }

    @Test
    void aMissingTensor() throws IOException {
        SequencedMap<String, Tensor> tensors = TinyLlama.tensors();
        tensors.remove("model.layers.1.mlp.up_proj.weight");
        rewrite(tensors);
        refuse(INPUT, "model.layers.1.mlp.up_proj.weight", command("perplexity"));
    }

    @Test
    void anUnsupportedArchitecture() throws IOException {
        Path config = model.resolve("config.json");
        String json = Files.readString(config).replace("LlamaForCausalLM", "MambaForCausalLM");
        Files.writeString(config, json.replace("\"llama\"", "\"mamba\""));
        refuse(INPUT, "amba", command("generate"));
    }

    @ParameterizedTest
    @CsvSource({"any4, NaN", "any4, Infinity", "int4, NaN", "nf4, -Infinity"})
    void aWeightThatIsNotFinite(String method, float value) throws IOException {
        SequencedMap<String, Tensor> tensors = TinyLlama.tensors();
        String name = "model.layers.1.mlp.down_proj.weight";
        Objects.requireNonNull(tensors.get(name)).setFloat(5L * 48 + 3, value);
        rewrite(tensors);
        String error = refuse(INPUT, name, "quantize", model, "-o", output, "--method", method);
        assertThat(error).contains("row 5");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--group-size 0        | the group size must be positive",
                "--group-size -8       | the group size must be positive",
                "--group-size many     | group size must be a whole number",
                "--method any5         | unknown quantization method 'any5'",
                "--kmeans slow         | unknown k-means variant 'slow'",
                "--weighting heavy     | unknown weighting 'heavy'",
                "--table column        | unknown table scope 'column'",
                "--zero-point half     | unknown zero point 'half'",
                "--scale-dtype f8      | unknown metadata type 'f8'",
                "--override down=int9  | int9",
                "--override nonsense   | is no override",
                "--seed one            | 'one' is not a long",
                "--threads 0           | --threads must be 1 or more",
                "--device quantum      | unknown device 'quantum'",
                "--device cuda:first   | a number has to follow the colon",
                "--accelerator magic   | unknown accelerator 'magic': supported are none, onednn",
                "--activations int9    | expected one of [F32, INT14, INT8]",
                "--accelerator onednn --activations int14 | leave --accelerator out",
                "--accelerator onednn --activations int8 | leave --accelerator out",
                "--device cuda --activations int14 | --activations goes with --device cpu only",
                "--require luck        | luck",
                "--require cuda        | --require cuda also needs --device cuda",
                "--device cuda --require vector | --require vector goes with --device cpu only",
                "--colour red          | --colour",
            })
    void nonsensicalSettings(String options, String message) throws IOException {
        refuse(
                USAGE,
                message,
                Stream.concat(Stream.of("quantize", model, "-o", output), Stream.of((Object[]) options.split(" ", -1)))
                        .toArray());
    }

    @Test
    void patternsThatMatchNothing() throws IOException {
        refuse(INPUT, "--skip *.router matches no module", "quantize", model, "-o", output, "--skip", "*.router");
        refuse(
                INPUT,
                "--override *.up matches no module",
                "quantize",
                model,
                "-o",
                output,
                "--override",
                "*.up=group-size=32");
    }

    @ParameterizedTest
    @ValueSource(strings = {"any4", "int4"})
    void anOutputThatExists(String method) throws IOException {
        Files.createDirectory(output);
        Files.writeString(output.resolve("precious"), "keep me");
        refuse(INPUT, "out exists already: delete it or choose another", "quantize", model, "-o", output, "-m", method);
        assertThat(output.resolve("precious")).hasContent("keep me");
    }

    /// The model pretends to be larger than what the disk has left: its file is a hole.
    @Test
    void aFullDisk() throws IOException {
        long size = Files.getFileStore(directory).getUsableSpace() + (1L << 30) & -2L;
        String header = """
                {"model.embed_tokens.weight":{"dtype":"BF16","shape":[%d,1],"data_offsets":[0,%d]},\
                "model.layers.0.x.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[%d,%d]}}""".formatted(size / 2, size, size, size + 4);
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file = open()) {
            file.setLength(0);
            file.writeLong(Long.reverseBytes(json.length));
            file.write(json);
            file.setLength(8 + json.length + size + 4);
        }
        refuse(INPUT, "are free there: free some or choose another", "quantize", model, "-o", output, "-m", "int4");
    }

    @Test
    void aPromptLongerThanTheContext() throws IOException {
        refuse(INPUT, "context of 64", "generate", model, "word ".repeat(300));
    }

    @Test
    void anEmptyPrompt() throws IOException {
        refuse(USAGE, "the prompt is empty", "generate", model, "");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--max-tokens 0     | 3 | must be positive",
                "--max-tokens many  | 2 | 'many' is not an int",
                "--temperature -1   | 3 | temperature",
                "--top-p 1.5        | 3 | top-p",
                "--top-k -4         | 3 | top-k",
            })
    void nonsensicalSampling(String options, int code, String message) throws IOException {
        String[] words = options.split(" ", -1);
        refuse(code, message, "generate", model, "Once", words[0], words[1]);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "1,x,3     | 2 | 'x' is not an int",
                "1,,3      | 2 | --ids",
                "5,99999   | 3 | token id 99999 is outside the vocabulary of 2048",
                "-3        | 3 | token id -3",
            })
    void nonsensicalIds(String ids, int code, String message) throws IOException {
        refuse(code, message, "logits", model, "--ids=" + ids, "-o", output);
    }

    @Test
    void moreIdsThanTheContextHolds() throws IOException {
        refuse(INPUT, "context of 64", "logits", model, "--ids", "1" + ",2".repeat(64), "-o", output);
    }

    @Test
    void logitsToAPlaceThatDoesNotExist() throws IOException {
        Path nowhere = directory.resolve("missing").resolve("out.safetensors");
        refuse(INPUT, "its directory does not exist", "logits", model, "--ids", "1,2", "-o", nowhere);
    }

    @ParameterizedTest
    @ValueSource(strings = {"perplexity", "compare"})
    void textsThatAreNone(String verb) throws IOException {
        text = directory.resolve("absent.txt");
        refuse(INPUT, "absent.txt cannot be read: it does not exist", command(verb));
        text = Files.writeString(directory.resolve("empty.txt"), " \n");
        refuse(INPUT, "empty.txt is empty", command(verb));
        text = Files.write(directory.resolve("binary.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        refuse(INPUT, "binary.txt is not UTF-8 text", command(verb));
        text = directory;
        refuse(INPUT, "is a directory", command(verb));
    }

    @Test
    void calibrationTextsThatAreNone() throws IOException {
        Path absent = directory.resolve("absent.txt");
        refuse(INPUT, "absent.txt", "quantize", model, "-o", output, "--calibration", absent);
        Path empty = Files.createFile(directory.resolve("empty.txt"));
        refuse(INPUT, "empty.txt is empty", "quantize", model, "-o", output, "--calibration", empty);
        refuse(INPUT, "at least one sample", "quantize", model, "-o", output, "--calibration", text, "--samples", 0);
        refuse(INPUT, "at least one sample", "quantize", model, "-o", output, "--calibration", "self", "--samples", 0);
        refuse(INPUT, "GPTAQ", "quantize", model, "-o", output, "--gptaq", "--refine", 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, TinyLlama.CONTEXT + 1})
    void aWindowThatDoesNotSuit(int window) throws IOException {
        refuse(INPUT, "context of 64 tokens", "perplexity", model, "--text", text, "--window", window);
    }

    @Test
    void anotherModelThanTheOriginal() throws IOException {
        refuse(INPUT, "is not a version of", "compare", TinyLlama.DEMO, model, "--text", text);
    }

    @Test
    void wrongVerbs() throws IOException {
        assertThat(refuse(USAGE, "'quantise'", "quantise", model)).contains("any4j quantize");
        refuse(USAGE, "name a verb");
        refuse(USAGE, "Missing required", "perplexity", model);
        refuse(USAGE, "Missing required", "quantize", model);
        refuse(USAGE, "Missing required", "compare", model);
    }

    @Test
    void comparisonsOfNothingOrOfMethodsThatAreNone() throws IOException {
        refuse(USAGE, "name quantized versions", "compare", model, "--text", text);
        refuse(INPUT, "'int5'", "compare", model, "--text", text, "--methods", "int4,int5");
        refuse(
                INPUT,
                "'int4' is in the list of methods twice",
                "compare",
                model,
                "--text",
                text,
                "--methods",
                "int4,int4");
        refuse(USAGE, "--gpt", "compare", model, "--text", text, "--methods", "int4+gpt");
        refuse(USAGE, "--recipe best decides --gptq", "compare", model, "--text", text, "--methods", "best+gptq", "-q");
    }

    /// A complete command of that verb for the current fields.
    private Object[] command(String verb) {
        return switch (verb) {
            case "quantize" -> new Object[] {verb, model, "-o", output};
            case "perplexity" -> new Object[] {verb, model, "--text", text};
            case "generate" -> new Object[] {verb, model, "Once"};
            case "logits" -> new Object[] {verb, model, "--ids", "1,2", "-o", output};
            case "inspect" -> new Object[] {verb, model};
            case "compare" -> new Object[] {verb, model, model, "--text", text, "--report", output};
            default -> throw new IllegalArgumentException(verb);
        };
    }

    private String refuse(int code, String message, Object... command) throws IOException {
        List<Path> before = files();
        Cli.Result result = Cli.run(command);
        assertThat(result.err()).startsWith("any4j: ").contains(message);
        assertThat(result.code()).as(result.err()).isEqualTo(code);
        assertThat(result.err().lines().filter(line -> line.startsWith("any4j: ")))
                .hasSize(1);
        assertThat(result.err()).doesNotContain("Exception", "\tat ");
        assertThat(result.out()).isEmpty();
        assertThat(files()).as("nothing is left behind").isEqualTo(before);
        return result.err();
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.sorted().toList();
        }
    }

    private RandomAccessFile open() throws IOException {
        return new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw");
    }

    private void resize(long by) throws IOException {
        try (RandomAccessFile file = open()) {
            file.setLength(file.length() + by);
        }
    }

    private void rewrite(SequencedMap<String, Tensor> tensors) throws IOException {
        model = TinyLlama.write(directory.resolve("damaged"), tensors);
    }
}
