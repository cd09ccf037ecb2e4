package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;

/// A question with several answers, of which the likeliest is the model's choice.
///
/// @param text the question
/// @param choices the answers, without the space before them
/// @param gold which of them is right
record MultipleChoice(String text, List<String> choices, int gold) implements Item {
    MultipleChoice {
        choices = List.copyOf(choices);
    }

    @Override
    public String example() {
        return text + ANSWER_DELIMITER + choices.get(gold) + EXAMPLE_DELIMITER;
    }

    @Override
    public List<Request> requests(String prefix) {
        String context = prefix + text;
        return choices.stream()
                .<Request>map(choice -> new Request.Likelihood(context, ANSWER_DELIMITER + choice))
                .toList();
    }

    /// `acc` takes the likeliest answer, `acc_norm` the likeliest per character.
    @Override
    public Map<Metric, Double> score(List<Response> responses) {
        double[] total = Item.logLikelihoods(responses);
        double[] perCharacter = new double[total.length];
        for (int i = 0; i < total.length; i++) {
            String choice = choices.get(i);
            perCharacter[i] = total[i] / choice.codePointCount(0, choice.length());
        }
        return Map.of(
                Metric.ACCURACY, Item.argmax(total) == gold ? 1.0 : 0.0,
                Metric.NORMALIZED_ACCURACY, Item.argmax(perCharacter) == gold ? 1.0 : 0.0);
    }
}
