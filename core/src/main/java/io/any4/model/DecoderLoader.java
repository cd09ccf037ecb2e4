package io.any4.model;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Format;
import io.any4.quant.InputTransforms;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Assembles a [Decoder] from a checkpoint, checking every shape against the config.
final class DecoderLoader {
    private final Checkpoint checkpoint;
    private final Device device;
    private final ModelConfig config;
    private final WeightNames names;
    private final Any4Format format;
    private final InputTransforms transforms;
    private final Buffer frequencies;

    DecoderLoader(Checkpoint checkpoint, Device device, ModelConfig config) {
        this.checkpoint = checkpoint;
        this.device = device;
        this.config = config;
        this.names = config.names();
        this.format = Any4Format.of(checkpoint.config());
        this.transforms = InputTransforms.of(checkpoint.config());
        this.frequencies = upload(config.rope().inverseFrequencies(config.headDim()));
    }

    Decoder load() {
        Matrix embedding = matrix(WeightNames.EMBEDDING, config.vocabSize(), config.hiddenSize());
        Matrix head =
                config.tiedEmbeddings() ? embedding : matrix(WeightNames.HEAD, config.vocabSize(), config.hiddenSize());
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            blocks.add(block(i));
        }
        Norm finalNorm = norm(WeightNames.FINAL_NORM, config.hiddenSize());
        return new Decoder(config, device, embedding, blocks, finalNorm, linear(WeightNames.HEAD, head, null));
    }

    private Block block(int i) {
        FeedForward feedForward = config.experts() == null ? mlp(WeightNames.inBlock(i, "")) : moe(i, config.experts());
        return new Block(
                norm(WeightNames.inBlock(i, "input_layernorm"), config.hiddenSize()),
                attention(i),
                norm(WeightNames.inBlock(i, "post_attention_layernorm"), config.hiddenSize()),
                feedForward);
    }

    private Attention attention(int i) {
        int hidden = config.hiddenSize();
        int queryWidth = config.attention(i).queryWidth();
        int kvWidth = config.attention(i).kvWidth();
        String prefix = WeightNames.inBlock(i, "self_attn.");
        return new Attention(
                config.attention(i),
                linear(prefix + "q_proj", queryWidth, hidden, config.qkvBias()),
                linear(prefix + "k_proj", kvWidth, hidden, config.qkvBias()),
                linear(prefix + "v_proj", kvWidth, hidden, config.qkvBias()),
                linear(prefix + "o_proj", hidden, queryWidth, config.outputBias()),
                config.headNorm() ? norm(prefix + "q_norm", config.headDim()) : null,
                config.headNorm() ? norm(prefix + "k_norm", config.headDim()) : null,
                frequencies);
    }

    /// @param prefix of the three module paths, with its final dot
    private Mlp mlp(String prefix) {
        int hidden = config.hiddenSize();
        int inner = config.intermediateSize();
        return new Mlp(
                linear(prefix + names.gate(), inner, hidden, config.mlpBias()),
                linear(prefix + names.up(), inner, hidden, config.mlpBias()),
                linear(prefix + names.down(), hidden, inner, config.mlpBias()));
    }

    private Moe moe(int i, ModelConfig.Experts shape) {
        Linear router = linear(WeightNames.inBlock(i, names.router()), shape.count(), config.hiddenSize(), false);
        List<Mlp> experts = new ArrayList<>();
        for (int e = 0; e < shape.count(); e++) {
            experts.add(mlp(WeightNames.inBlock(i, names.expert().formatted(e) + ".")));
        }
        return new Moe(device, router, experts, shape.perToken());
    }

    private Linear linear(String module, int rows, int columns, boolean biased) {
        String biasName = module + ".bias";
        // Some checkpoints have biases that their config does not mention.
        @Nullable Tensor bias = biased ? checkpoint.tensor(biasName) : checkpoint.find(biasName);
        return linear(module, matrix(module, rows, columns), bias == null ? null : vector(biasName, bias, rows));
    }

    private Linear linear(String module, Matrix matrix, @Nullable Buffer bias) {
        return new Linear(module, matrix, bias, transforms.of(checkpoint, module, matrix.columns()));
    }

    private Matrix matrix(String module, int rows, int columns) {
        Weight weight = format.read(checkpoint, module);
        if (weight.rows() != rows || weight.columns() != columns) {
            throw misshapen(module + ".weight", Shape.of(weight.rows(), weight.columns()), Shape.of(rows, columns));
        }
        return device.prepare(weight);
    }

    private Norm norm(String module, int width) {
        String name = module + ".weight";
        return new Norm(vector(name, checkpoint.tensor(name), width), config.normEpsilon());
    }

    private Buffer vector(String name, Tensor tensor, int length) {
        if (!tensor.shape().equals(Shape.of(length))) {
            throw misshapen(name, tensor.shape(), Shape.of(length));
        }
        return upload(tensor.toFloats());
    }

    private Buffer upload(float[] values) {
        Buffer buffer = device.allocate(values.length);
        device.write(values, buffer, 0);
        return buffer;
    }

    private static InvalidInputException misshapen(String name, Shape actual, Shape expected) {
        return new InvalidInputException(
                "the tensor %s has shape %s, but config.json asks for %s: they do not belong together"
                        .formatted(name, actual, expected));
    }
}
