package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;

/// A text whose last word the model must find.
///
/// @param text everything before the word
/// @param target the word with the space before it
record Completion(String text, String target) implements Item {
    /// The harness puts its delimiter before the word's own space, so examples have two.
    @Override
    public String example() {
        return text + ANSWER_DELIMITER + target + EXAMPLE_DELIMITER;
    }

    @Override
    public List<Request> requests(String prefix) {
        return List.of(new Request.Likelihood(prefix + text, target));
    }

    /// Right is a word all of whose tokens are the likeliest ones.
    @Override
    public Map<Metric, Double> score(List<Response> responses) {
        Response.Scored response = Item.scored(responses.getFirst());
        return Map.of(Metric.PERPLEXITY, response.logLikelihood(), Metric.ACCURACY, response.greedy() ? 1.0 : 0.0);
    }
}
