package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.IntConsumer;

/// Puts requests to a model.
final class RequestRunner {
    private final LikelihoodRunner likelihoods;
    private final GenerationRunner generations;

    RequestRunner(TaskModel model) {
        PairTokenizer tokenizer = new PairTokenizer(model.tokenizer());
        likelihoods = new LikelihoodRunner(model.decoder(), tokenizer);
        generations = new GenerationRunner(model, tokenizer);
    }

    /// The answers, in the order of the requests.
    ///
    /// @param task whose requests, for messages
    /// @param done told the number of requests answered so far
    List<Response> run(String task, List<Request> requests, IntConsumer done) {
        List<Request.Likelihood> scored = new ArrayList<>();
        List<Response> written = new ArrayList<>();
        for (Request request : requests) {
            switch (request) {
                case Request.Likelihood likelihood -> scored.add(likelihood);
                case Request.Generation generation -> {
                    written.add(generations.run(task, generation));
                    done.accept(written.size());
                }
            }
        }
        int generated = written.size();
        Iterator<Response> scores =
                likelihoods.run(task, scored, n -> done.accept(generated + n)).iterator();
        Iterator<Response> texts = written.iterator();
        return requests.stream()
                .map(request -> switch (request) {
                    case Request.Likelihood _ -> scores.next();
                    case Request.Generation _ -> texts.next();
                })
                .toList();
    }
}
