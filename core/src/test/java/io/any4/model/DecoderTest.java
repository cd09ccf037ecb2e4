package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Format;
import io.any4.quant.QuantizationSpec;
import io.any4.quant.Quantizer;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The decoder against [NaiveDecoder], and its contract.
class DecoderTest {
    private static final int[] IDS = TinyModel.ids(23, 5);

    @TempDir
    Path directory;

    private Team team;
    private Device device;

    @BeforeEach
    void open() {
        team = new Team(2);
        device = CpuDevice.scalar(team);
    }

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void agreesWithTheNaiveForwardPassHoweverThePromptIsCut(Architecture architecture) throws IOException {
        TinyModel model = new TinyModel(architecture, 11);
        double[][] expected = new NaiveDecoder(model).logits(IDS);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            for (int chunk : new int[] {IDS.length, 1, 5}) {
                float[][] actual = Logits.inChunks(decoder, IDS, chunk);
                for (int t = 0; t < IDS.length; t++) {
                    for (int v = 0; v < TinyModel.VOCAB; v++) {
                        assertThat((double) actual[t][v])
                                .as("chunk %d, position %d, id %d", chunk, t, v)
                                .isCloseTo(expected[t][v], within(2e-4));
                    }
                }
            }
        }
    }

    @Test
    void sharesTheEmbeddingWhenTied() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 3);
        model.tensors.put("lm_head.weight", model.tensor("model.embed_tokens.weight"));
        double[][] expected = new NaiveDecoder(model).logits(IDS);
        model.tensors.remove("lm_head.weight");
        model.config.put("tie_word_embeddings", true);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            float[][] actual = Logits.inChunks(Decoder.load(checkpoint, device), IDS, IDS.length);
            assertThat((double) actual[20][7]).isCloseTo(expected[20][7], within(2e-4));
        }
    }

    @Test
    void takesTurnsBetweenSequencesAndForgetsWhatIsTruncated() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 1).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            float[] expected = last(decoder, IDS, decoder.newCache(30));
            KvCache first = decoder.newCache(30);
            KvCache second = decoder.newCache(30);
            for (int t = 0; t < IDS.length - 1; t++) {
                decoder.forward(new int[] {IDS[t]}, first);
                decoder.forward(new int[] {IDS[IDS.length - 1 - t]}, second);
            }
            decoder.forward(new int[] {1, 2, 3}, first);
            assertThat(first.remaining()).isEqualTo(5);
            first.truncate(IDS.length - 1);
            assertThat(last(decoder, new int[] {IDS[IDS.length - 1]}, first)).isEqualTo(expected);
        }
    }

    @Test
    void logitsOfARangeAreThoseOfTheWhole() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 1).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            Buffer hidden = decoder.forward(IDS, decoder.newCache(23));
            float[] all = new float[IDS.length * TinyModel.VOCAB];
            decoder.logits(hidden, 0, IDS.length, all);
            float[] some = new float[4 * TinyModel.VOCAB];
            decoder.logits(hidden, 9, 4, some);
            assertThat(some).isEqualTo(java.util.Arrays.copyOfRange(all, 9 * TinyModel.VOCAB, 13 * TinyModel.VOCAB));
        }
    }

    @Test
    void aChosenTokenRunsLikeOneThatIsGiven() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 1).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(IDS.length + 1);
            NextToken next = decoder.nextToken(Sampling.of(2, 5));
            next.choose(decoder.forward(IDS, cache), IDS.length - 1);
            float[] chosen = new float[TinyModel.VOCAB];
            decoder.logits(decoder.forward(next, cache), 0, 1, chosen);
            cache.truncate(IDS.length);
            assertThat(last(decoder, new int[] {next.id()}, cache)).isEqualTo(chosen);
            assertThatThrownBy(() -> decoder.forward(next, cache))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("do not fit into 24 positions");
        }
    }

    @Test
    void noTokenIsChosenFromDamagedWeights() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 1);
        model.tensor("lm_head.weight").setFloat(30, Float.NaN);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            NextToken next = decoder.nextToken(Sampling.GREEDY);
            next.choose(decoder.forward(IDS, decoder.newCache(IDS.length)), 0);
            assertThatThrownBy(next::id)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage("the model computes logits that are not numbers: its weights are damaged");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"LLAMA", "MIXTRAL"})
    void blockByBlockIsTheSameAsForward(Architecture architecture) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(architecture, 2).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            List<String> whole = new ArrayList<>();
            List<float[]> inputs = new ArrayList<>();
            decoder.forward(IDS, decoder.newCache(23), recorder(decoder, whole, inputs));
            List<String> piecewise = new ArrayList<>();
            List<float[]> pieces = new ArrayList<>();
            Buffer residual = device.allocate((long) IDS.length * TinyModel.HIDDEN);
            decoder.embed(IDS, residual);
            for (int i = 0; i < TinyModel.LAYERS; i++) {
                decoder.block(i, residual, IDS.length, recorder(decoder, piecewise, pieces));
            }
            assertThat(whole.removeLast()).isEqualTo("lm_head");
            assertThat(piecewise).isEqualTo(whole).contains("model.layers.1.self_attn.o_proj");
            for (int i = 0; i < whole.size(); i++) {
                assertThat(pieces.get(i)).as(whole.get(i)).isEqualTo(inputs.get(i));
            }
        }
    }

    @Test
    void replacesTheWeightsItIsGiven() throws IOException {
        TinyModel model = new TinyModel(Architecture.QWEN2, 4);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            String name = "model.layers.1.self_attn.k_proj";
            Tensor other = model.tensor("model.layers.0.self_attn.v_proj.weight");
            decoder.replace(1, Map.of(name, new DenseWeight(other)));
            model.tensors.put(name + ".weight", other);
            double[][] expected = new NaiveDecoder(model).logits(IDS);
            assertThat((double) Logits.inChunks(decoder, IDS, 23)[22][5]).isCloseTo(expected[22][5], within(2e-4));
            assertThat(decoder.inputGroups(1).getFirst())
                    .extracting(Linear::name)
                    .containsExactly("model.layers.1.self_attn.q_proj", name, "model.layers.1.self_attn.v_proj");
        }
    }

    @Test
    void runsQuantizedCheckpoints() throws IOException {
        TinyModel model = new TinyModel(Architecture.MIXTRAL, 6);
        TinyModel dequantized = new TinyModel(Architecture.MIXTRAL, 6);
        Quantizer quantizer = QuantizationSpec.parse("any4,group-size=16").quantizer();
        for (String name : List.copyOf(model.tensors.keySet())) {
            if (name.contains("proj") || name.contains("experts")) {
                Weight weight = quantizer.quantize(model.tensor(name), null, team, RowListener.NONE);
                String module = name.substring(0, name.length() - ".weight".length());
                model.tensors.putAll(Any4Format.tensors(module, weight));
                dequantized.tensors.put(name, dense(weight));
            }
        }
        model.config
                .putObject("quantization_config")
                .put("quant_method", "any4")
                .put("version", 1)
                .put("bits", 4)
                .put("group_size", 16)
                .put("sym", false);
        double[][] expected = new NaiveDecoder(dequantized).logits(IDS);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            float[][] actual = Logits.inChunks(Decoder.load(checkpoint, device), IDS, 4);
            for (int t = 0; t < IDS.length; t++) {
                for (int v = 0; v < TinyModel.VOCAB; v++) {
                    assertThat((double) actual[t][v]).isCloseTo(expected[t][v], within(2e-4));
                }
            }
        }
    }

    private static Tensor dense(Weight weight) {
        float[] values = new float[weight.rows() * weight.columns()];
        for (int r = 0; r < weight.rows(); r++) {
            weight.dequantizeRow(r, values, r * weight.columns());
        }
        return Tensor.ofFloats(values, weight.rows(), weight.columns());
    }

    @Test
    void refusesWhatDoesNotFit() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 1).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(10);
            assertThatThrownBy(() -> decoder.forward(IDS, cache))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("23 tokens", "10 positions");
            assertThatThrownBy(() -> decoder.forward(new int[0], cache)).isInstanceOf(InvalidInputException.class);
            assertThatThrownBy(() -> decoder.forward(new int[] {TinyModel.VOCAB}, cache))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("61", "vocabulary");
            assertThatThrownBy(() -> decoder.newCache(TinyModel.CONTEXT + 1))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("65", "context of 64");
        }
    }

    @ParameterizedTest
    @MethodSource("requiredTensors")
    void namesAMissingTensor(String name) throws IOException {
        TinyModel model = new TinyModel(Architecture.QWEN2, 1);
        model.tensors.remove(name);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            assertThatThrownBy(() -> Decoder.load(checkpoint, device))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(name);
        }
    }

    static List<String> requiredTensors() {
        return List.of(
                "model.embed_tokens.weight",
                "model.layers.1.self_attn.q_proj.bias",
                "model.layers.0.mlp.down_proj.weight",
                "model.norm.weight",
                "lm_head.weight");
    }

    @Test
    void namesAMisshapenTensor() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 1);
        model.config.put("intermediate_size", 44);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            assertThatThrownBy(() -> Decoder.load(checkpoint, device))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("model.layers.0.mlp.gate_proj.weight", "[40, 24]", "[44, 24]");
        }
    }

    private static Tap recorder(Decoder decoder, List<String> names, List<float[]> inputs) {
        return (linear, x, tokens) -> {
            names.add(linear);
            float[] copy = new float[tokens * 24]; // the narrowest input
            decoder.device().read(x, 0, copy, copy.length);
            inputs.add(copy);
        };
    }

    private static float[] last(Decoder decoder, int[] ids, KvCache cache) {
        float[] out = new float[TinyModel.VOCAB];
        decoder.logits(decoder.forward(ids, cache), ids.length - 1, 1, out);
        return out;
    }
}
