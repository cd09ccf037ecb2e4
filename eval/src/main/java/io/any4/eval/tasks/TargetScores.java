package io.any4.eval.tasks;

import io.any4.model.Decoder;
import io.any4.tinygemm.Buffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Turns hidden states into the likelihoods of tokens that follow them.
final class TargetScores {
    /// Logits are computed in slices of at most this many floats, unless a single position has more.
    private static final int SLICE_FLOATS = 1 << 22;

    /// A position that predicts a token of each of a question's sequences.
    ///
    /// @param row its hidden state
    /// @param left tokens to the end of the sequences: it predicts the one `left` before the end of a target
    record Predictor(int row, Question question, int left) {}

    private final Decoder decoder;
    private final int vocabulary;
    private final int slice;
    private final float[] logits;

    TargetScores(Decoder decoder) {
        this.decoder = decoder;
        this.vocabulary = decoder.config().vocabSize();
        this.slice = Math.max(1, SLICE_FLOATS / vocabulary);
        this.logits = new float[Math.multiplyExact(slice, vocabulary)];
    }

    /// Answers the questions of all predictors.
    void of(Buffer hidden, List<Predictor> predictors, Response[] responses) {
        Map<Sequence, Tally> tallies = new LinkedHashMap<>();
        for (int from = 0; from < predictors.size(); from += slice) {
            List<Predictor> some = predictors.subList(from, Math.min(from + slice, predictors.size()));
            int[] rows = some.stream().mapToInt(Predictor::row).toArray();
            decoder.logits(hidden, rows, logits);
            LogitRow[] summaries = new LogitRow[rows.length];
            IntStream.range(0, rows.length)
                    .parallel()
                    .forEach(i -> summaries[i] = LogitRow.of(logits, i * vocabulary, vocabulary));
            for (int i = 0; i < rows.length; i++) {
                add(some.get(i), summaries[i], i * vocabulary, tallies);
            }
        }
        tallies.forEach(
                (sequence, tally) -> responses[sequence.index()] = new Response.Scored(tally.sum, tally.greedy));
    }

    private void add(Predictor predictor, LogitRow summary, int offset, Map<Sequence, Tally> tallies) {
        for (Sequence sequence : predictor.question().sequences()) {
            int at = sequence.target().length - predictor.left();
            if (at >= 0) {
                int token = sequence.target()[at];
                Tally tally = tallies.computeIfAbsent(sequence, s -> new Tally());
                tally.sum += summary.logProbability(logits[offset + token]);
                tally.greedy &= summary.likeliest() == token;
            }
        }
    }

    /// What is known of a sequence so far; tokens are added in order.
    private static final class Tally {
        private double sum;
        private boolean greedy = true;
    }
}
