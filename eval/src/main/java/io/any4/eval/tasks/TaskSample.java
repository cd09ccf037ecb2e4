package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;

/// What happened with one document.
///
/// @param task name of the task
/// @param document its number in the task's data, from 0
/// @param requests what the model was asked
/// @param responses what it answered, one per request
/// @param scores the document's share of each metric
public record TaskSample(
        String task, int document, List<Request> requests, List<Response> responses, Map<Metric, Double> scores) {
    public TaskSample {
        requests = List.copyOf(requests);
        responses = List.copyOf(responses);
        scores = Map.copyOf(scores);
    }
}
