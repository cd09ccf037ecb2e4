package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.tinygemm.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// Scores continuations. Requests are run in the order of their tokens, so that those which begin alike are neighbours
/// and share a cache; those that differ in their last token only, such as A, B, C and D, share all of the work.
final class LikelihoodRunner {
    /// Logits are computed in slices of at most this many floats, unless a single position has more.
    private static final int SLICE_FLOATS = 1 << 21;

    /// A tokenized request.
    ///
    /// @param input what the model reads: everything but the last token
    /// @param target the continuation's tokens; the last input positions predict them
    /// @param index of the request
    private record Sequence(int[] input, int[] target, int index) {}

    private final Decoder decoder;
    private final PairTokenizer tokenizer;
    private final SharedPrefix prefix;
    private final int vocabulary;
    private final float[] logits;
    private final int slice;

    LikelihoodRunner(Decoder decoder, PairTokenizer tokenizer) {
        this.decoder = decoder;
        this.tokenizer = tokenizer;
        this.prefix = new SharedPrefix(decoder);
        this.vocabulary = decoder.config().vocabSize();
        this.slice = Math.max(1, SLICE_FLOATS / vocabulary);
        this.logits = new float[Math.multiplyExact(slice, vocabulary)];
    }

    /// @param done told the number of requests answered so far
    List<Response> run(String task, List<Request.Likelihood> requests, IntConsumer done) {
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            sequences.add(sequence(task, requests.get(i), i));
        }
        sequences.sort((a, b) -> Arrays.compare(a.input, b.input));
        prefix.reserve(sequences.stream().mapToInt(s -> s.input.length).max().orElse(0));
        Response[] responses = new Response[requests.size()];
        for (int from = 0; from < sequences.size(); ) {
            int to = from + 1;
            while (to < sequences.size() && Arrays.equals(sequences.get(from).input, sequences.get(to).input)) {
                to++;
            }
            score(sequences.subList(from, to), responses);
            done.accept(to);
            from = to;
        }
        return List.of(responses);
    }

    /// Too long a text loses its beginning.
    private Sequence sequence(String task, Request.Likelihood request, int index) {
        PairTokenizer.Pair pair = tokenizer.encode(request);
        int[] ids = pair.ids();
        int length = ids.length - pair.contextLength();
        int context = decoder.config().contextLength();
        if (length < 1 || pair.contextLength() < 1 || length > context) {
            throw new InvalidInputException(
                    "%s: the continuation '%s' has %d tokens after a context of %d; the model can score 1 to %d after at least 1"
                            .formatted(task, request.continuation(), length, pair.contextLength(), context));
        }
        int start = Math.max(0, ids.length - context - 1);
        return new Sequence(
                Arrays.copyOfRange(ids, start, ids.length - 1),
                Arrays.copyOfRange(ids, ids.length - length, ids.length),
                index);
    }

    /// Scores sequences with equal inputs.
    private void score(List<Sequence> group, Response[] responses) {
        int[] input = group.getFirst().input;
        int longest = group.stream().mapToInt(s -> s.target.length).max().orElse(0);
        Buffer hidden = prefix.forward(input, input.length - longest);
        int firstRow = input.length - longest - prefix.firstRow();
        double[] sums = new double[group.size()];
        boolean[] greedy = new boolean[group.size()];
        Arrays.fill(greedy, true);
        for (int from = 0; from < longest; from += slice) {
            int count = Math.min(slice, longest - from);
            decoder.logits(hidden, firstRow + from, count, logits);
            for (int s = 0; s < sums.length; s++) {
                int[] target = group.get(s).target;
                int shift = from - (longest - target.length);
                sums[s] += slice(target, shift, count);
                greedy[s] &= isGreedy(target, shift, count);
            }
        }
        for (int s = 0; s < sums.length; s++) {
            responses[group.get(s).index] = new Response.Scored(sums[s], greedy[s]);
        }
    }

    /// Sum over the rows of logits at hand; row `r` predicts `target[shift + r]`, if there is such a token.
    private double slice(int[] target, int shift, int count) {
        double[] terms = new double[count];
        IntStream.range(Math.max(0, -shift), count)
                .parallel()
                .forEach(row -> terms[row] =
                        LogitRow.logProbability(logits, row * vocabulary, vocabulary, target[shift + row]));
        return Arrays.stream(terms).sum();
    }

    private boolean isGreedy(int[] target, int shift, int count) {
        for (int row = Math.max(0, -shift); row < count; row++) {
            if (LogitRow.argmax(logits, row * vocabulary, vocabulary) != target[shift + row]) {
                return false;
            }
        }
        return true;
    }
}
