package io.any4.eval.tasks;

import java.util.List;

/// One thing asked of a model.
public sealed interface Request {
    /// How likely is `continuation` after `context`?
    ///
    /// @param context the prompt; trailing spaces count as part of the continuation when both are tokenized
    /// @param continuation the text whose likelihood is wanted, with the space it begins with
    record Likelihood(String context, String continuation) implements Request {}

    /// What comes after `context`, choosing the likeliest token each time?
    ///
    /// @param stops texts that end the answer and are not part of it; so does the end-of-sequence token
    /// @param tokens most tokens to generate
    record Generation(String context, List<String> stops, int tokens) implements Request {
        public Generation {
            stops = List.copyOf(stops);
        }
    }
}
