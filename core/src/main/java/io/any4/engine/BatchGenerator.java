package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.NextTokens;
import io.any4.model.Segment;
import io.any4.model.Tap;
import io.any4.tinygemm.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// Continues several prompts at once: a step runs the newest token of each, and every weight is read once for all.
///
/// A prompt whose continuation has ended makes room for the next one, which is run in the same step as the tokens of
/// the others. What follows a prompt does not depend on the others.
public final class BatchGenerator {
    private final Decoder decoder;
    private final int size;
    private final NextTokens next;

    /// One text to continue.
    ///
    /// @param listener told its tokens
    public record Prompt(int[] ids, GenerationOptions options, TokenListener listener) {}

    /// @param size prompts that are continued at the same time, each with a cache of its own
    public BatchGenerator(Decoder decoder, int size) {
        if (size < 1) {
            throw new IllegalArgumentException("a batch of %d prompts".formatted(size));
        }
        this.decoder = decoder;
        this.size = size;
        this.next = decoder.nextTokens(size);
    }

    /// Continues each prompt as [Generator#generate] does; the times in a result are those from the prompt's first
    /// step.
    ///
    /// @param done told how many prompts have ended
    /// @throws io.any4.checkpoint.InvalidInputException if a prompt is empty or longer than the context
    public List<Generation> generate(List<Prompt> prompts, IntConsumer done) {
        prompts.forEach(prompt -> decoder.requireRunnable(prompt.ids()));
        Generation[] results = new Generation[prompts.size()];
        List<Run> running = new ArrayList<>();
        int begun = 0;
        int ended = 0;
        while (ended < results.length) {
            while (running.size() < size && begun < results.length) {
                running.add(new Run(prompts.get(begun), begun++));
            }
            step(running);
            running.stream().filter(Run::ended).forEach(run -> results[run.index] = run.result());
            running.removeIf(Run::ended);
            int before = ended;
            ended = begun - running.size();
            if (ended > before) {
                done.accept(ended);
            }
        }
        return List.of(results);
    }

    private void step(List<Run> running) {
        Buffer hidden = decoder.forward(running.stream().map(Run::segment).toList(), Tap.NONE);
        int[] rows = new int[running.size()];
        int end = 0;
        for (int i = 0; i < rows.length; i++) {
            end += running.get(i).newest.length;
            rows[i] = end - 1;
        }
        int[] ids = next.choose(
                hidden, rows, running.stream().map(run -> run.sequence).toList());
        for (int i = 0; i < rows.length; i++) {
            running.get(i).append(ids[i]);
        }
    }

    /// One generation in progress.
    private final class Run {
        private final int index;
        private final int promptTokens;
        private final KvCache cache;
        private final Continuation continuation;
        private final NextTokens.Sequence sequence;
        private final long start = System.nanoTime();
        private long first;
        private long end;
        private int[] newest;
        private @Nullable StopReason reason;

        Run(Prompt prompt, int index) {
            this.index = index;
            this.promptTokens = prompt.ids().length;
            this.cache = Continuation.cache(decoder, promptTokens, prompt.options());
            this.continuation = new Continuation(cache, prompt.options(), prompt.listener());
            this.sequence = new NextTokens.Sequence(prompt.options().sampling());
            this.newest = prompt.ids();
        }

        Segment segment() {
            return new Segment(newest, cache);
        }

        void append(int id) {
            end = System.nanoTime();
            if (first == 0) {
                first = end;
            }
            newest = new int[] {id};
            reason = continuation.append(id);
        }

        boolean ended() {
            return reason != null;
        }

        Generation result() {
            if (reason == null) {
                throw new IllegalStateException("the generation goes on");
            }
            return new Generation(continuation.ids(), reason, promptTokens, (first - start) / 1e9, (end - start) / 1e9);
        }
    }
}
