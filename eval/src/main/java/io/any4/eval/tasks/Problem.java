package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A question that the model answers in writing.
///
/// @param text the question
/// @param answer the reference, with the reasoning that leads to it
/// @param stops texts that end the model's answer
/// @param tokens most tokens the model may write
/// @param judges how the answer is read, one per metric
record Problem(String text, String answer, List<String> stops, int tokens, Map<Metric, AnswerJudge> judges)
        implements Item {
    Problem {
        stops = List.copyOf(stops);
        judges = Map.copyOf(judges);
    }

    @Override
    public String example() {
        return text + ANSWER_DELIMITER + answer + EXAMPLE_DELIMITER;
    }

    @Override
    public List<Request> requests(String prefix) {
        return List.of(new Request.Generation(prefix + text, stops, tokens));
    }

    @Override
    public Map<Metric, Double> score(List<Response> responses) {
        String written = switch (responses.getFirst()) {
            case Response.Generated generated -> generated.text();
            case Response.Scored _ -> throw new IllegalArgumentException("a score answers no generation request");
        };
        return judges.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().accepts(written, answer) ? 1.0 : 0.0));
    }
}
