package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.util.List;

/// Chooses the next tokens of several sequences at once, where the model runs: of their logits the host reads
/// nothing but the ids.
public final class NextTokens {
    private final Decoder decoder;
    private final Device device;
    private final Buffer chosen;
    private final float[] ids;

    /// How the tokens of one sequence are chosen, and how many there have been.
    public static final class Sequence {
        private final Sampling sampling;
        private int draws;

        public Sequence(Sampling sampling) {
            this.sampling = sampling;
        }
    }

    NextTokens(Decoder decoder, int most) {
        this.decoder = decoder;
        this.device = decoder.device();
        this.chosen = device.allocate(most);
        this.ids = new float[most];
    }

    /// The ids of what follows some tokens.
    ///
    /// @param hidden what [Decoder#forward] returned
    /// @param rows of those tokens
    /// @param sequences that they belong to, one for each row
    /// @throws io.any4.checkpoint.InvalidInputException if logits were not numbers, which only happens with damaged
    ///     weights
    public int[] choose(Buffer hidden, int[] rows, List<Sequence> sequences) {
        Buffer logits = decoder.project(hidden, rows);
        for (int i = 0; i < rows.length; i++) {
            Sequence sequence = sequences.get(i);
            device.choose(logits, i, decoder.config().vocabSize(), sequence.sampling, sequence.draws++, chosen);
        }
        device.read(chosen, 0, ids, rows.length);
        int[] checked = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            checked[i] = NextToken.checked(ids[i]);
        }
        return checked;
    }
}
