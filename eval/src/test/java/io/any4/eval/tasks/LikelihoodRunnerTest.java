package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.Scorer;
import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sharing what requests have in common must not change their scores.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LikelihoodRunnerTest {
    private static final Path MODEL = Path.of("..", "models", "demo");
    private static final String STORY = "The captain walked along the shore and looked at the sea. ";

    private Device device;
    private Checkpoint checkpoint;
    private Tokenizer tokenizer;
    private Decoder decoder;

    @BeforeAll
    void load() {
        device = CpuDevice.open(CpuOptions.defaults());
        checkpoint = Checkpoint.open(MODEL);
        tokenizer = Tokenizer.load(MODEL);
        decoder = Decoder.load(checkpoint, device);
    }

    @AfterAll
    void close() {
        tokenizer.close();
        checkpoint.close();
        device.close();
    }

    @Test
    void scoresAreThoseOfEachRequestAlone() {
        List<Request.Likelihood> requests = new ArrayList<>();
        for (String context : List.of(STORY + "He saw", STORY, STORY + "He saw a", "", "Nothing")) {
            for (String continuation : List.of(" a ship", " a", " a ship that came nearer", " two", " a boat")) {
                requests.add(new Request.Likelihood(context, continuation));
            }
        }
        List<Response> responses = runner().run("t", requests, done -> {});
        for (int i = 0; i < requests.size(); i++) {
            assertThat(Item.scored(responses.get(i)).logLikelihood())
                    .as("%s", requests.get(i))
                    .isCloseTo(alone(requests.get(i)), within(1e-4));
        }
    }

    @Test
    void scoresDoNotDependOnTheOtherRequests() {
        Request.Likelihood request = new Request.Likelihood(STORY + "He saw", " a ship in the distance");
        Response alone = runner().run("t", List.of(request), done -> {}).getFirst();
        List<Request.Likelihood> many = new ArrayList<>(List.of(
                new Request.Likelihood(STORY + "He saw", " a ship"),
                new Request.Likelihood(STORY + "He heard", " a ship"),
                new Request.Likelihood(STORY, "He saw a ship in the distance and ran")));
        many.add(request);
        assertThat(runner().run("t", many, done -> {}).getLast()).isEqualTo(alone);
    }

    @Test
    void tooLongATextLosesItsBeginning() {
        Request.Likelihood request = new Request.Likelihood(STORY.repeat(60), "The end");
        int[] ids = new PairTokenizer(tokenizer).encode(request).ids();
        int context = decoder.config().contextLength();
        assertThat(ids).hasSizeGreaterThan(context + 1);
        // The harness lets the model read as much as it can, and the last token is only predicted.
        int[] kept = Arrays.copyOfRange(ids, ids.length - context - 1, ids.length);
        int target = ids.length - new PairTokenizer(tokenizer).encode(request).contextLength();
        int[] read = Arrays.copyOf(kept, context);
        float[] logits = new float[decoder.config().vocabSize()];
        var hidden = decoder.forward(read, decoder.newCache(context));
        double expected = 0;
        for (int i = 0; i < target; i++) {
            decoder.logits(hidden, context - target + i, 1, logits);
            expected += LogitRow.of(logits, 0, logits.length).logProbability(logits[kept[kept.length - target + i]]);
        }
        Response response = runner().run("t", List.of(request), done -> {}).getFirst();
        assertThat(Item.scored(response).logLikelihood()).isCloseTo(expected, within(1e-4));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 1000})
    void scoresDoNotDependOnTheBatchSize(int size) {
        List<Request.Likelihood> requests = new ArrayList<>();
        for (String context :
                List.of("", "He saw", STORY, STORY + "He saw", STORY.repeat(3), "Nothing", "The end of")) {
            for (String continuation : List.of(" a ship", " a", " a ship that came nearer", " two")) {
                requests.add(new Request.Likelihood(context, continuation));
            }
        }
        LikelihoodRunner one = new LikelihoodRunner(decoder, new PairTokenizer(tokenizer), new BatchSize(1));
        LikelihoodRunner several = new LikelihoodRunner(decoder, new PairTokenizer(tokenizer), new BatchSize(size));
        List<Integer> progress = new ArrayList<>();
        assertThat(several.run("t", requests, progress::add)).isEqualTo(one.run("t", requests, done -> {}));
        assertThat(progress).isSorted().doesNotHaveDuplicates().last().isEqualTo(requests.size());
    }

    @Test
    void commonBeginningsAreRunOnce() {
        Lane lane = new Lane(decoder);
        lane.take(new Family(List.of(
                question(new int[] {5, 6, 7, 8, 9}, 2),
                question(new int[] {5, 6, 7, 8, 10, 11}, 1),
                question(new int[] {5, 6, 7, 8, 10, 12}, 4),
                question(new int[] {5, 6}, 1))));
        assertThat(ask(lane)).containsExactly(5, 6, 7, 8, 9);
        assertThat(ask(lane)).as("four tokens were there already").containsExactly(10, 11);
        assertThat(ask(lane)).as("the hidden state of token 2 is needed").containsExactly(7, 8, 10, 12);
        assertThat(ask(lane)).containsExactly(6);
        assertThat(lane.idle()).isTrue();
    }

    private static Question question(int[] input, int predictions) {
        return new Question(input, List.of(new Sequence(input, new int[predictions], 0)));
    }

    /// The tokens that had to be run.
    private int[] ask(Lane lane) {
        Lane.Run run = lane.next();
        decoder.forward(List.of(run.segment()), Tap.NONE);
        return run.segment().ids();
    }

    @Test
    void questionsAboutOneTextAreAFamilyAndTheLongestComesFirst() {
        List<Family> families = Family.of(List.of(
                question(new int[] {1, 2, 3, 4, 5}, 1),
                question(new int[] {1, 2, 3, 4, 6, 7}, 3),
                question(new int[] {1, 9, 9, 9}, 1),
                question(new int[] {8, 8, 8, 8, 8, 8, 8, 8}, 2)));
        assertThat(families.stream().map(f -> f.questions().size())).containsExactly(1, 2, 1);
        assertThat(families.getFirst().longest()).isEqualTo(8);
    }

    @Test
    void aContinuationWithoutTokensIsRefused() {
        List<Request.Likelihood> requests = List.of(new Request.Likelihood("The end", ""));
        assertThatThrownBy(() -> runner().run("copa", requests, done -> {}))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("copa")
                .hasMessageContaining("0 tokens");
    }

    private LikelihoodRunner runner() {
        return new LikelihoodRunner(decoder, new PairTokenizer(tokenizer), BatchSize.AUTOMATIC);
    }

    private double alone(Request.Likelihood request) {
        PairTokenizer.Pair pair = new PairTokenizer(tokenizer).encode(request);
        double[] each = new Scorer(decoder).logProbabilities(pair.ids());
        return Arrays.stream(each).skip(pair.contextLength() - 1).sum();
    }
}
