package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.SharedData;
import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.SafetensorsFile;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits and greedy choices against those that transformers computed in F32 for the same checkpoints.
@Tag("shared")
@ParameterizedClass
@ValueSource(strings = {"scalar", "vector"})
class ParityTest {
    /// Of the largest logit; what the order of summation in F32 can change.
    private static final double TOLERANCE = 2e-5;

    /// Leading ids of `greedy_ids` that were given.
    private static final int PROMPT = 16;

    @Parameter
    String provider = "";

    private Team team;
    private Device device;

    @BeforeEach
    void open() {
        team = new Team(2);
        device = provider.equals("scalar") ? CpuDevice.scalar(team) : CpuDevice.open(new CpuOptions(2, true));
        assertThat(device.describe()).contains(provider);
    }

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama2", "llama3.1", "llama3.2-tied", "mistral-sliding", "mixtral", "qwen2", "qwen3"})
    void logitsMatch(String model) {
        Path folder = SharedData.path("models/parity/" + model);
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                SafetensorsFile reference = SafetensorsFile.open(folder.resolve("reference.safetensors"))) {
            Decoder decoder = load(checkpoint);
            Tensor ids = reference.tensor("input_ids");
            int length = Math.toIntExact(ids.shape().dim(1));
            float[] expected = reference.tensor("logits").toFloats();
            for (int sequence = 0; sequence < ids.rows(); sequence++) {
                int[] input = ints(ids, sequence * length, length);
                float[] part = Arrays.copyOfRange(
                        expected, sequence * expected.length / 2, (sequence + 1) * expected.length / 2);
                for (int chunk : new int[] {length, 1, 37}) {
                    assertClose(Logits.inChunks(decoder, input, chunk), part);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama2", "llama3.1", "llama3.2-tied", "mistral-sliding", "mixtral", "qwen2", "qwen3"})
    void greedyChoicesMatch(String model) {
        Path folder = SharedData.path("models/parity/" + model);
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                SafetensorsFile reference = SafetensorsFile.open(folder.resolve("reference.safetensors"))) {
            Tensor greedy = reference.tensor("greedy_ids");
            int[] expected = ints(greedy, 0, Math.toIntExact(greedy.elements()));
            int[] prompt = Arrays.copyOf(expected, PROMPT);
            assertThat(prompt).isEqualTo(ints(reference.tensor("input_ids"), 0, PROMPT));
            assertThat(greedy(load(checkpoint), prompt, expected.length - PROMPT))
                    .isEqualTo(Arrays.copyOfRange(expected, PROMPT, expected.length));
        }
    }

    /// A random model in F32; its reference is a NumPy archive.
    @Test
    void tinyRandomLlamaMatches() throws IOException {
        Path folder = SharedData.path("models/tiny-llama-random");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            int[] ids = IntStream.rangeClosed(1, 32).map(i -> 7 * i).toArray();
            float[] expected = npyFloats(folder.resolve("reference_logits.npz"), "logits.npy");
            assertClose(Logits.inChunks(Decoder.load(checkpoint, device), ids, 32), expected);
        }
    }

    /// The random model in F32 of the golden data.
    @Test
    void goldenTinyLlamaMatches() {
        Path folder = SharedData.path("golden/tiny_llama");
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                SafetensorsFile reference = SafetensorsFile.open(folder.resolve("reference.safetensors"))) {
            int[] ids = ints(reference.tensor("ids"), 0, 64);
            float[] expected = reference.tensor("logits.fp32").toFloats();
            assertClose(Logits.inChunks(Decoder.load(checkpoint, device), ids, 64), expected);
        }
    }

    private static float[] npyFloats(Path archive, String entry) throws IOException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            byte[] bytes = zip.getInputStream(zip.getEntry(entry)).readAllBytes();
            ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            int header = 10 + buffer.getShort(8); // format version 1
            assertThat(new String(bytes, 10, header - 10, StandardCharsets.US_ASCII))
                    .contains("'<f4'", "False");
            float[] values = new float[(bytes.length - header) / 4];
            buffer.position(header)
                    .slice()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(values);
            return values;
        }
    }

    /// The references were recorded from models that had been cast to their 16-bit type as a whole, rotary frequencies
    /// included, and then widened.
    private Decoder load(Checkpoint checkpoint) {
        ModelConfig config = ModelConfig.parse(checkpoint.config());
        DType dtype = checkpoint.config().path("dtype").stringValue().equals("float16") ? DType.F16 : DType.BF16;
        return Decoder.load(checkpoint, device, config.withRope(config.rope().rounded(dtype)));
    }

    private static int[] greedy(Decoder decoder, int[] prompt, int count) {
        KvCache cache = decoder.newCache(prompt.length + count);
        float[] logits = new float[decoder.config().vocabSize()];
        decoder.logits(decoder.forward(prompt, cache), prompt.length - 1, 1, logits);
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = Logits.argmax(logits);
            decoder.logits(decoder.forward(new int[] {ids[i]}, cache), 0, 1, logits);
        }
        return ids;
    }

    private static void assertClose(float[][] actual, float[] expected) {
        double largest = 0;
        double difference = 0;
        int vocab = actual[0].length;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i / vocab][i % vocab]));
        }
        assertThat(expected).hasSize(actual.length * vocab);
        assertThat(difference).as("largest logit %s", largest).isLessThan(TOLERANCE * largest);
    }

    private static int[] ints(Tensor tensor, int from, int count) {
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            values[i] = (int) tensor.getFloat(from + i);
        }
        return values;
    }
}
