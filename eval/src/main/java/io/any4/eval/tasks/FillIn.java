package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;

/// A sentence with a gap: the fillings differ, and the likelihood of what follows the gap decides (partial evaluation;
/// Trinh and Le, arXiv 1806.02847).
///
/// @param contexts the sentence up to and including each filling
/// @param continuation what follows the gap, without the space before it
/// @param gold which filling is right
record FillIn(List<String> contexts, String continuation, int gold) implements Item {
    FillIn {
        contexts = List.copyOf(contexts);
    }

    @Override
    public String example() {
        return contexts.get(gold) + ANSWER_DELIMITER + continuation + EXAMPLE_DELIMITER;
    }

    @Override
    public List<Request> requests(String prefix) {
        return contexts.stream()
                .<Request>map(context -> new Request.Likelihood(prefix + context, ANSWER_DELIMITER + continuation))
                .toList();
    }

    @Override
    public Map<Metric, Double> score(List<Response> responses) {
        return Map.of(Metric.ACCURACY, Item.argmax(Item.logLikelihoods(responses)) == gold ? 1.0 : 0.0);
    }
}
