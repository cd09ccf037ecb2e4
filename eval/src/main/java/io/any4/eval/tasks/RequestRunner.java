package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.IntConsumer;

/// Puts requests to a model.
final class RequestRunner {
    private final LikelihoodRunner likelihoods;
    private final GenerationRunner generations;

    RequestRunner(TaskModel model, BatchSize batchSize) {
        PairTokenizer tokenizer = new PairTokenizer(model.tokenizer());
        likelihoods = new LikelihoodRunner(model.decoder(), tokenizer, batchSize);
        generations = new GenerationRunner(model, tokenizer, batchSize);
    }

    /// The answers, in the order of the requests.
    ///
    /// @param task whose requests, for messages
    /// @param done told the number of requests answered so far
    List<Response> run(String task, List<Request> requests, IntConsumer done) {
        List<Request.Likelihood> toScore = new ArrayList<>();
        List<Request.Generation> toWrite = new ArrayList<>();
        for (Request request : requests) {
            switch (request) {
                case Request.Likelihood likelihood -> toScore.add(likelihood);
                case Request.Generation generation -> toWrite.add(generation);
            }
        }
        Iterator<Response> texts = generations.run(task, toWrite, done).iterator();
        Iterator<Response> scores = likelihoods
                .run(task, toScore, n -> done.accept(toWrite.size() + n))
                .iterator();
        return requests.stream()
                .map(request -> switch (request) {
                    case Request.Likelihood _ -> scores.next();
                    case Request.Generation _ -> texts.next();
                })
                .toList();
    }
}
