package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.Generation;
import io.any4.engine.GenerationOptions;
import io.any4.engine.Generator;
import io.any4.engine.Sampling;
import io.any4.text.StreamingDecoder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/// Lets a model write answers, always choosing the likeliest token.
final class GenerationRunner {
    private final TaskModel model;
    private final PairTokenizer contexts;
    private final Generator generator;

    GenerationRunner(TaskModel model, PairTokenizer contexts) {
        this.model = model;
        this.contexts = contexts;
        this.generator = new Generator(model.decoder());
    }

    Response run(String task, Request.Generation request) {
        GenerationOptions options = new GenerationOptions(request.tokens(), Sampling.GREEDY, stopIds(request));
        StreamingDecoder pieces = model.tokenizer().streaming();
        StringBuilder written = new StringBuilder();
        Generation generation = generator.generate(prompt(task, request), options, id -> {
            written.append(pieces.next(id));
            return request.stops().stream().noneMatch(stop -> written.indexOf(stop) >= 0);
        });
        return new Response.Generated(beforeStops(model.tokenizer().decode(generation.ids()), request));
    }

    /// Too long a prompt loses its beginning, so that there is room for the answer.
    private int[] prompt(String task, Request.Generation request) {
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
