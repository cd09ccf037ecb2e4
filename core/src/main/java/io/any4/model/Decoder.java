package io.any4.model;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Span;
import io.any4.tinygemm.Weight;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A decoder-only transformer, ready to run on one device.
///
/// One object serves one thread at a time. Any number of sequences may be run, in turns or together, each with its own
/// [KvCache]; what is computed for one does not depend on which others run beside it.
public final class Decoder {
    /// Long inputs go through the blocks in pieces of this many tokens: it bounds working memory, not results.
    private static final int CHUNK = 512;

    private final ModelConfig config;
    private final Device device;
    private final Matrix embedding;
    private final Block[] blocks;
    private final Norm finalNorm;
    private final Linear head;
    private final Pass pass;
    private Scratch scratch;
    private Buffer hidden;
    private Buffer headInput;
    private Buffer logits;
    private @Nullable KvCache loneCache;
    private KvFormat cacheFormat = KvFormat.F32;

    Decoder(ModelConfig config, Device device, Matrix embedding, List<Block> blocks, Norm finalNorm, Linear head) {
        this.config = config;
        this.device = device;
        this.embedding = embedding;
        this.blocks = blocks.toArray(Block[]::new);
        this.finalNorm = finalNorm;
        this.head = head;
        this.scratch = new Scratch(device, config, 1);
        this.pass = new Pass(device, scratch);
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

    /// A decoder with the same weights and working memory of its own: replacing weights of one leaves the other as it
    /// is.
    public Decoder twin() {
        return new Decoder(config, device, embedding, List.of(blocks), finalNorm, head);
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
        return KvCache.allocate(device, config, capacity, cacheFormat);
    }

    /// [#forward(List, Tap)] of one sequence, unwatched.
    public Buffer forward(int[] ids, KvCache cache) {
        return forward(ids, cache, Tap.NONE);
    }

    /// [#forward(List, Tap)] of one sequence.
    public Buffer forward(int[] ids, KvCache cache, Tap tap) {
        if (ids.length != 1) {
            return forward(List.of(new Segment(ids, cache)), tap);
        }
        requireKnown(ids);
        cache.requireRoom(1);
        prepare(1);
        device.embed(embedding, ids, scratch.residual);
        return runOne(cache, tap);
    }

    /// Runs tokens that continue cached sequences, each by its own number of tokens, and appends them to the caches.
    /// Every weight is read once for all of them.
    ///
    /// @return the hidden states after the final norm, `[tokens, hidden]`, segment after segment;
    ///     valid until the next call
    /// @throws InvalidInputException if tokens do not fit their cache or an id is not in the vocabulary
    public Buffer forward(List<Segment> segments, Tap tap) {
        for (Segment segment : segments) {
            requireKnown(segment.ids());
            segment.cache().requireRoom(segment.ids().length);
        }
        int tokens = segments.stream().mapToInt(segment -> segment.ids().length).sum();
        prepare(tokens);
        int done = 0;
        for (Batch batch : Batch.of(segments, CHUNK)) {
            embed(batch.ids(), scratch.residual);
            run(batch.tokens(), batch.parts(), done, tap);
            done += batch.tokens();
        }
        tap.input(head.name(), hidden, tokens);
        return hidden;
    }

    /// Runs the token that was chosen last, appending it to the cache.
    ///
    /// @return its hidden state after the final norm, valid until the next call
    /// @throws InvalidInputException if the cache is full
    public Buffer forward(NextToken newest, KvCache cache) {
        cache.requireRoom(1);
        prepare(1);
        device.embed(embedding, newest.chosen(), scratch.residual);
        return runOne(cache, Tap.NONE);
    }

    /// Runs one embedded token without making anything: that is what most tokens are.
    private Buffer runOne(KvCache cache, Tap tap) {
        run(1, cache.newest(), 0, tap);
        tap.input(head.name(), hidden, 1);
        return hidden;
    }

    /// The next token of a sequence that is to be chosen in this way.
    public NextToken nextToken(Sampling sampling) {
        return new NextToken(this, sampling);
    }

    /// The next tokens of several sequences.
    ///
    /// @param most sequences at once
    public NextTokens nextTokens(int most) {
        return new NextTokens(this, most);
    }

    private void prepare(int tokens) {
        hidden = grown(hidden, (long) tokens * config.hiddenSize());
        reserve(Math.min(tokens, CHUNK));
    }

    /// Takes embedded tokens through the blocks and the final norm, to the hidden states from row `to` on.
    private void run(int tokens, List<Part> parts, int to, Tap tap) {
        pass.begin(scratch, tokens, parts, tap);
        for (int i = 0; i < blocks.length; i++) {
            blocks[i].forward(scratch.residual, pass, i);
        }
        for (int i = 0; i < parts.size(); i++) {
            parts.get(i).advance();
        }
        if (to == 0) {
            finalNorm.apply(device, scratch.residual, tokens, hidden);
        } else {
            finalNorm.apply(device, scratch.residual, tokens, scratch.normed);
            device.store(scratch.normed, config.hiddenSize(), hidden, Span.alone(tokens), to);
        }
    }

    /// [#logits(Buffer, int\[\], float\[\])] of consecutive rows, from row `from` on.
    public void logits(Buffer hidden, int from, int count, float[] out) {
        device.read(project(hidden, from, count), 0, out, Math.multiplyExact(count, config.vocabSize()));
    }

    /// Next-token logits for some of the hidden states that [#forward] returned.
    ///
    /// Vocabularies are large: ask for as many rows at a time as there should be memory for.
    ///
    /// @param out receives `[rows.length, vocab]`
    public void logits(Buffer hidden, int[] rows, float[] out) {
        device.read(project(hidden, rows), 0, out, Math.multiplyExact(rows.length, config.vocabSize()));
    }

    /// The logits of consecutive rows, on the device: `[count, vocab]`, valid until the next call.
    Buffer project(Buffer hidden, int from, int count) {
        return from == 0
                ? projectLeading(hidden, count)
                : project(hidden, IntStream.range(from, from + count).toArray());
    }

    /// The logits of some rows, likewise.
    Buffer project(Buffer hidden, int[] rows) {
        return projectLeading(areLeading(rows) ? hidden : gathered(hidden, rows), rows.length);
    }

    private static boolean areLeading(int[] rows) {
        for (int i = 0; i < rows.length; i++) {
            if (rows[i] != i) {
                return false;
            }
        }
        return true;
    }

    private Buffer projectLeading(Buffer input, int count) {
        logits = grown(logits, (long) count * config.vocabSize());
        head.apply(pass.begin(scratch, count, List.of(), Tap.NONE), input, count, logits);
        return logits;
    }

    private Buffer gathered(Buffer hidden, int[] rows) {
        headInput = grown(headInput, (long) rows.length * config.hiddenSize());
        device.gather(hidden, rows, config.hiddenSize(), headInput);
        return headInput;
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
        if (loneCache == null || loneCache.capacity() < tokens) {
            loneCache = KvCache.ofOneLayer(device, config, tokens);
        }
        Part sequence = new Part(Span.alone(tokens), loneCache);
        blocks[index].forward(residual, pass.begin(scratch, tokens, List.of(sequence), tap), index);
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
