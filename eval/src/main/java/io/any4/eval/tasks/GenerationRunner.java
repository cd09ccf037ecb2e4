package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.BatchGenerator;
import io.any4.engine.BatchGenerator.Prompt;
import io.any4.engine.Generation;
import io.any4.engine.GenerationOptions;
import io.any4.engine.TokenListener;
import io.any4.text.StreamingDecoder;
import io.any4.tinygemm.Sampling;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/// Lets a model write answers, always choosing the likeliest token; several answers at a time.
final class GenerationRunner {
    private final TaskModel model;
    private final PairTokenizer contexts;
    private final BatchSize batchSize;

    GenerationRunner(TaskModel model, PairTokenizer contexts, BatchSize batchSize) {
        this.model = model;
        this.contexts = contexts;
        this.batchSize = batchSize;
    }

    /// @param done told the number of requests answered so far
    List<Response> run(String task, List<Request.Generation> requests, IntConsumer done) {
        List<Prompt> prompts = requests.stream().map(r -> prompt(task, r)).toList();
        int longest = prompts.stream()
                .mapToInt(p -> p.ids().length + p.options().maxTokens())
                .max()
                .orElse(1);
        List<Generation> generations =
                new BatchGenerator(model.decoder(), batchSize.of(longest)).generate(prompts, done);
        Response[] responses = new Response[requests.size()];
        Arrays.setAll(responses, i -> response(requests.get(i), generations.get(i)));
        return List.of(responses);
    }

    private Prompt prompt(String task, Request.Generation request) {
        GenerationOptions options = new GenerationOptions(request.tokens(), Sampling.GREEDY, stopIds(request));
        return new Prompt(ids(task, request), options, untilStop(request));
    }

    /// Listens for texts that end an answer.
    private TokenListener untilStop(Request.Generation request) {
        StreamingDecoder pieces = model.tokenizer().streaming();
        StringBuilder written = new StringBuilder();
        return id -> {
            written.append(pieces.next(id));
            return request.stops().stream().noneMatch(stop -> written.indexOf(stop) >= 0);
        };
    }

    private Response response(Request.Generation request, Generation generation) {
        return new Response.Generated(beforeStops(model.tokenizer().decode(generation.ids()), request));
    }

    /// Too long a prompt loses its beginning, so that there is room for the answer.
    private int[] ids(String task, Request.Generation request) {
        int[] ids = contexts.encode(request.context());
        int context = model.decoder().config().contextLength();
        int room = context - request.tokens();
        if (room < 1) {
            throw new InvalidInputException(
                    "%s lets the model write %d tokens, but its context has only %d: leave the task out"
                            .formatted(task, request.tokens(), context));
        }
        return ids.length <= room ? ids : Arrays.copyOfRange(ids, ids.length - room, ids.length);
    }

    /// Ids that end an answer: the model's own, and stops that are one token, which may be special ones without text.
    private Set<Integer> stopIds(Request.Generation request) {
        Set<Integer> ids = new HashSet<>(model.stopIds());
        for (String stop : request.stops()) {
            int[] tokens = model.tokenizer().encode(stop, false);
            if (tokens.length == 1) {
                ids.add(tokens[0]);
            }
        }
        return ids;
    }

    private static String beforeStops(String text, Request.Generation request) {
        int end = text.length();
        for (String stop : request.stops()) {
            int at = text.indexOf(stop);
            end = at < 0 ? end : Math.min(end, at);
        }
        return text.substring(0, end);
    }
}
