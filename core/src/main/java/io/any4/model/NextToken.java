package io.any4.model;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;

/// The newest token of one sequence: chosen where the model runs, and left there for the next step.
///
/// Whoever generates needs to read its id only to show it or to stop: [Decoder#forward(NextToken, KvCache)] does not.
public final class NextToken {
    private final Decoder decoder;
    private final Device device;
    private final Sampling sampling;
    private final Buffer chosen;
    private final float[] id = new float[1];
    private int draws;

    NextToken(Decoder decoder, Sampling sampling) {
        this.decoder = decoder;
        this.device = decoder.device();
        this.sampling = sampling;
        this.chosen = device.allocate(1);
    }

    /// Chooses what follows a token.
    ///
    /// @param hidden what [Decoder#forward] returned
    /// @param row of that token
    public void choose(Buffer hidden, int row) {
        device.choose(decoder.project(hidden, row, 1), 0, decoder.config().vocabSize(), sampling, draws, chosen);
        draws++;
    }

    /// The chosen id.
    ///
    /// @throws InvalidInputException if logits were not numbers, which only happens with damaged weights
    public int id() {
        device.read(chosen, 0, id, 1);
        return checked(id[0]);
    }

    /// The id that a device chose.
    static int checked(float id) {
        if (Float.isNaN(id)) {
            throw new InvalidInputException("the model computes logits that are not numbers: its weights are damaged");
        }
        return (int) id;
    }

    Buffer chosen() {
        return chosen;
    }
}
