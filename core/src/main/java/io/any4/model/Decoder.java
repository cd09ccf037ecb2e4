package io.any4.model;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A decoder-only transformer, ready to run on one device.
///
/// One object serves one thread at a time; any number of sequences may take turns, each with its own [KvCache].
public final class Decoder {
    /// Long inputs go through the blocks in pieces of this many tokens: it bounds working memory, not results.
    private static final int CHUNK = 512;

    private final ModelConfig config;
    private final Device device;
    private final Matrix embedding;
    private final Block[] blocks;
    private final Norm finalNorm;
    private final Linear head;
    private Scratch scratch;
    private Buffer hidden;
    private Buffer headInput;
    private Buffer logits;
    private @Nullable DenseKvLayer loneCache;
    private KvFormat cacheFormat = KvFormat.F32;

    Decoder(ModelConfig config, Device device, Matrix embedding, List<Block> blocks, Norm finalNorm, Linear head) {
        this.config = config;
        this.device = device;
        this.embedding = embedding;
        this.blocks = blocks.toArray(Block[]::new);
        this.finalNorm = finalNorm;
        this.head = head;
        this.scratch = new Scratch(device, config, 1);
        this.hidden = device.allocate(config.hiddenSize());
        this.headInput = device.allocate(config.hiddenSize());
        this.logits = device.allocate(config.vocabSize());
    }

    /// Prepares the model of a checkpoint, whose memory it goes on using: close the checkpoint last.
    ///
    /// @throws InvalidInputException if the architecture is not supported or a tensor is missing or misshapen
    public static Decoder load(Checkpoint checkpoint, Device device) {
        return load(checkpoint, device, ModelConfig.parse(checkpoint.config()));
    }

    /// [#load(Checkpoint, Device)] with a config that differs from the checkpoint's own.
    public static Decoder load(Checkpoint checkpoint, Device device, ModelConfig config) {
        return new DecoderLoader(checkpoint, device, config).load();
    }

    public ModelConfig config() {
        return config;
    }

    public Device device() {
        return device;
    }

    /// Sets how caches made from now on hold keys and values: in F32 unless it is called.
    public void cacheFormat(KvFormat format) {
        cacheFormat = format;
    }

    /// An empty cache with room for `capacity` positions.
    ///
    /// @throws InvalidInputException if the model was not made for so many
    public KvCache newCache(int capacity) {
        requireContext(capacity);
        return new KvCache(device, config, capacity, cacheFormat);
    }

    /// [#forward(int\[\], KvCache, Tap)] unwatched.
    public Buffer forward(int[] ids, KvCache cache) {
        return forward(ids, cache, Tap.NONE);
    }

    /// Runs tokens that continue the cached sequence, appending them to the cache.
    ///
    /// @return the hidden states after the final norm, `[ids.length, hidden]`, valid until the next call
    /// @throws InvalidInputException if the tokens do not fit the cache or an id is not in the vocabulary
    public Buffer forward(int[] ids, KvCache cache, Tap tap) {
        check(ids, cache);
        int width = config.hiddenSize();
        hidden = grown(hidden, (long) ids.length * width);
        reserve(Math.min(ids.length, CHUNK));
        for (int from = 0; from < ids.length; from += CHUNK) {
            int tokens = Math.min(CHUNK, ids.length - from);
            embed(Arrays.copyOfRange(ids, from, from + tokens), scratch.residual);
            Pass pass = new Pass(device, scratch, tokens, cache.length(), tap);
            for (int i = 0; i < blocks.length; i++) {
                blocks[i].forward(scratch.residual, pass, cache.layer(i));
            }
            device.store(scratch.residual, tokens, width, hidden, from);
            cache.advance(tokens);
        }
        finish(hidden, ids.length, tap);
        return hidden;
    }

    /// Next-token logits for `count` of the hidden states that [#forward] returned, from row `from` on.
    ///
    /// Vocabularies are large: ask for as many rows at a time as there should be memory for.
    ///
    /// @param out receives `[count, vocab]`
    public void logits(Buffer hidden, int from, int count, float[] out) {
        int width = config.hiddenSize();
        int[] rows = new int[count];
        Arrays.setAll(rows, i -> from + i);
        headInput = grown(headInput, (long) count * width);
        logits = grown(logits, (long) count * config.vocabSize());
        device.gather(hidden, rows, width, headInput);
        head.apply(new Pass(device, scratch, count, 0, Tap.NONE), headInput, count, logits);
        device.read(logits, 0, out, Math.multiplyExact(count, config.vocabSize()));
    }

    /// The residual stream before the first block: `out[t]` is the embedding of `ids[t]`.
    public void embed(int[] ids, Buffer out) {
        device.embed(embedding, ids, out);
    }

    /// Runs one block over a whole sequence, by itself: this is how calibration walks through a model.
    ///
    /// @param residual `[tokens, hidden]`, updated in place; row 0 is position 0
    public void block(int index, Buffer residual, int tokens, Tap tap) {
        reserve(tokens);
        if (loneCache == null
                || loneCache.keys().length()
                        < (long) tokens * config.attention(index).kvWidth()) {
            loneCache = DenseKvLayer.allocate(device, DType.F32, config.attention(index), tokens);
        }
        blocks[index].forward(residual, new Pass(device, scratch, tokens, 0, tap), loneCache);
    }

    /// Applies the final norm to the residual stream that the last block leaves, `[tokens, hidden]`, in place.
    public void finish(Buffer residual, int tokens, Tap tap) {
        finalNorm.apply(device, residual, tokens, residual);
        tap.input(head.name(), residual, tokens);
    }

    /// The linear layers of a block in the order they run, grouped by the input they share.
    public List<List<Linear>> inputGroups(int block) {
        return blocks[block].inputGroups();
    }

    /// Replaces weights of a block; layers that the map does not name stay as they are.
    ///
    /// @param weights by module path
    public void replace(int block, Map<String, Weight> weights) {
        blocks[block] = blocks[block].map(linear -> {
            Weight weight = weights.get(linear.name());
            return weight == null ? linear : linear.with(device.prepare(weight));
        });
    }

    private void check(int[] ids, KvCache cache) {
        requireKnown(ids);
        if (ids.length > cache.remaining()) {
            throw new InvalidInputException(
                    "%d tokens after %d others do not fit into %d positions: shorten the text or enlarge the context"
                            .formatted(ids.length, cache.length(), cache.capacity()));
        }
    }

    /// Checks that ids can be run as a sequence of their own.
    ///
    /// @throws InvalidInputException if there are none, too many for the model's context, or ids it does not know
    public void requireRunnable(int[] ids) {
        requireKnown(ids);
        requireContext(ids.length);
    }

    private void requireKnown(int[] ids) {
        if (ids.length == 0) {
            throw new InvalidInputException("there are no tokens to run: the text is empty");
        }
        for (int id : ids) {
            if (id < 0 || id >= config.vocabSize()) {
                throw new InvalidInputException(
                        "token id %d is outside the vocabulary of %d: is this the model's own tokenizer?"
                                .formatted(id, config.vocabSize()));
            }
        }
    }

    private void requireContext(int positions) {
        if (positions > config.contextLength()) {
            throw new InvalidInputException(
                    "%d positions exceed the model's context of %d: shorten the text or the window"
                            .formatted(positions, config.contextLength()));
        }
    }

    private void reserve(int tokens) {
        if (scratch.tokens() < tokens) {
            scratch = new Scratch(device, config, tokens);
        }
    }

    private Buffer grown(Buffer buffer, long length) {
        return buffer.length() >= length ? buffer : device.allocate(length);
    }
}
