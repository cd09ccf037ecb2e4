package io.any4.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.BatchGenerator.Prompt;
import io.any4.model.Decoder;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What follows a prompt is the same whether others are continued beside it or not.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BatchGeneratorTest {
    private final Device device = CpuDevice.open(new CpuOptions(2, true));
    private final Checkpoint checkpoint = Checkpoint.open(Path.of("..", "models", "demo"));
    private final Decoder decoder = Decoder.load(checkpoint, device);

    @AfterAll
    void close() {
        checkpoint.close();
        device.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 10})
    void eachIsContinuedAsAlone(int size) {
        int stop = alone(prompt(3, 9, Sampling.GREEDY, Set.of())).ids()[4];
        int context = decoder.config().contextLength();
        List<Prompt> prompts = List.of(
                prompt(5, 12, Sampling.GREEDY, Set.of()),
                prompt(3, 9, Sampling.GREEDY, Set.of(stop)),
                prompt(1, 1, Sampling.GREEDY, Set.of()),
                prompt(context - 2, 8, Sampling.GREEDY, Set.of()),
                prompt(7, 20, Sampling.of(0.9, 3), Set.of()),
                prompt(2, 15, new Sampling(1, 20, 0.9, 8), Set.of()));
        List<Integer> progress = new ArrayList<>();
        List<Generation> together = new BatchGenerator(decoder, size).generate(prompts, progress::add);
        for (int i = 0; i < prompts.size(); i++) {
            Generation alone = alone(prompts.get(i));
            assertThat(together.get(i).ids()).as("prompt %d", i).isEqualTo(alone.ids());
            assertThat(together.get(i).reason()).isEqualTo(alone.reason());
            assertThat(together.get(i).promptTokens()).isEqualTo(alone.promptTokens());
            assertThat(together.get(i).secondsToFirstToken())
                    .isPositive()
                    .isLessThanOrEqualTo(together.get(i).seconds());
        }
        assertThat(together.stream().map(Generation::reason))
                .contains(StopReason.END_OF_SEQUENCE, StopReason.MAX_TOKENS, StopReason.CONTEXT_FULL);
        assertThat(progress).isSorted().doesNotHaveDuplicates().last().isEqualTo(prompts.size());
    }

    @Test
    void listenersHearTheirOwnTokensAndStopTheirOwnText() {
        List<Integer> first = new ArrayList<>();
        List<Integer> second = new ArrayList<>();
        Prompt patient = prompt(4, 6, Sampling.GREEDY, Set.of());
        Prompt hasty = prompt(6, 6, Sampling.GREEDY, Set.of());
        List<Generation> generations = new BatchGenerator(decoder, 2)
                .generate(
                        List.of(
                                new Prompt(patient.ids(), patient.options(), first::add),
                                new Prompt(hasty.ids(), hasty.options(), id -> {
                                    second.add(id);
                                    return second.size() < 3;
                                })),
                        done -> {});
        assertThat(first).containsExactlyElementsOf(boxed(alone(patient).ids()));
        assertThat(second).containsExactlyElementsOf(boxed(alone(hasty).ids()).subList(0, 3));
        assertThat(generations.get(1).reason()).isEqualTo(StopReason.LISTENER);
    }

    @Test
    void aPromptThatCannotBeRunStopsEverythingAtTheStart() {
        List<Integer> heard = new ArrayList<>();
        Prompt good = prompt(4, 6, Sampling.GREEDY, Set.of());
        List<Prompt> prompts =
                List.of(new Prompt(good.ids(), good.options(), heard::add), prompt(0, 6, Sampling.GREEDY, Set.of()));
        assertThatThrownBy(() -> new BatchGenerator(decoder, 1).generate(prompts, done -> {}))
                .isInstanceOf(InvalidInputException.class);
        assertThat(heard).isEmpty();
    }

    private Generation alone(Prompt prompt) {
        return new Generator(decoder).generate(prompt.ids(), prompt.options(), TokenListener.NONE);
    }

    private static Prompt prompt(int length, int tokens, Sampling sampling, Set<Integer> stops) {
        int[] ids = new int[length];
        Arrays.setAll(ids, i -> 20 + (length * 31 + i * 17) % 200);
        return new Prompt(ids, new GenerationOptions(tokens, sampling, stops), TokenListener.NONE);
    }

    private static List<Integer> boxed(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }
}
