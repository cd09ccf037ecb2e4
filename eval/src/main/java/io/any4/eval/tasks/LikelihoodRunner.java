package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.model.Segment;
import io.any4.model.Tap;
import io.any4.tinygemm.Buffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.function.IntConsumer;

/// Scores continuations. Requests are sorted by their tokens, so that those which begin alike are neighbours and
/// share a cache; families of such requests are run side by side, one request of each in a forward pass. How many
/// makes no difference to the scores.
final class LikelihoodRunner {
    private final Decoder decoder;
    private final PairTokenizer tokenizer;
    private final BatchSize batchSize;
    private final TargetScores scores;

    LikelihoodRunner(Decoder decoder, PairTokenizer tokenizer, BatchSize batchSize) {
        this.decoder = decoder;
        this.tokenizer = tokenizer;
        this.batchSize = batchSize;
        this.scores = new TargetScores(decoder);
    }

    /// @param done told the number of requests answered so far
    List<Response> run(String task, List<Request.Likelihood> requests, IntConsumer done) {
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            sequences.add(sequence(task, requests.get(i), i));
        }
        sequences.sort((a, b) -> Arrays.compare(a.input(), b.input()));
        Queue<Family> waiting = new ArrayDeque<>(Family.of(Question.of(sequences)));
        Response[] responses = new Response[requests.size()];
        List<Lane> lanes = lanes(waiting);
        int answered = 0;
        for (List<Lane.Run> runs = next(lanes, waiting); !runs.isEmpty(); runs = next(lanes, waiting)) {
            ask(runs, responses);
            answered +=
                    runs.stream().mapToInt(r -> r.question().sequences().size()).sum();
            done.accept(answered);
        }
        return List.of(responses);
    }

    /// Too long a text loses its beginning.
    private Sequence sequence(String task, Request.Likelihood request, int index) {
        PairTokenizer.Pair pair = tokenizer.encode(request);
        int[] ids = pair.ids();
        int length = ids.length - pair.contextLength();
        int context = decoder.config().contextLength();
        if (length < 1 || pair.contextLength() < 1 || length > context) {
            throw new InvalidInputException(
                    "%s: the continuation '%s' has %d tokens after a context of %d; the model can score 1 to %d after at least 1"
                            .formatted(task, request.continuation(), length, pair.contextLength(), context));
        }
        int start = Math.max(0, ids.length - context - 1);
        return new Sequence(
                Arrays.copyOfRange(ids, start, ids.length - 1),
                Arrays.copyOfRange(ids, ids.length - length, ids.length),
                index);
    }

    /// As many as suit the longest family, which comes first.
    private List<Lane> lanes(Queue<Family> families) {
        List<Lane> lanes = new ArrayList<>();
        Family longest = families.peek();
        int count = longest == null ? 0 : Math.min(batchSize.of(longest.longest()), families.size());
        for (int i = 0; i < count; i++) {
            lanes.add(new Lane(decoder));
        }
        return lanes;
    }

    /// One question of each lane that has any.
    private static List<Lane.Run> next(List<Lane> lanes, Queue<Family> waiting) {
        List<Lane.Run> runs = new ArrayList<>();
        for (Lane lane : lanes) {
            if (lane.idle() && !waiting.isEmpty()) {
                lane.take(waiting.remove());
            }
            if (!lane.idle()) {
                runs.add(lane.next());
            }
        }
        return runs;
    }

    private void ask(List<Lane.Run> runs, Response[] responses) {
        List<Segment> segments = runs.stream().map(Lane.Run::segment).toList();
        Buffer hidden = decoder.forward(segments, Tap.NONE);
        List<TargetScores.Predictor> predictors = new ArrayList<>();
        int row = 0;
        for (Lane.Run run : runs) {
            int predictions = run.question().predictions();
            for (int i = 0; i < predictions; i++) {
                predictors.add(new TargetScores.Predictor(row + run.firstRow() + i, run.question(), predictions - i));
            }
            row += run.segment().ids().length;
        }
        scores.of(hidden, predictors, responses);
    }
}
