package io.any4.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.SharedData;
import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A trained model, its tokenizer and greedy generation together, against the text that llama2.c publishes for them.
@Tag("shared")
class StoriesTest {
    private static final String EXPECTED = """
            Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she \
            saw a big, red ball. She wanted to play with it, but it was too high.
            Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want \
            to play with your ball, but I can't find it."
            Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
            Lily didn't want to help her mom, so she""";

    @Test
    void tellsThePublishedStory() {
        Path folder = SharedData.path("models/stories260K");
        try (Team team = new Team(2);
                Device device = CpuDevice.scalar(team);
                Checkpoint checkpoint = Checkpoint.open(folder);
                Tokenizer tokenizer = Tokenizer.load(folder)) {
            Generator generator = new Generator(Decoder.load(checkpoint, device));
            GenerationOptions options = new GenerationOptions(200, Sampling.GREEDY, Set.of(tokenizer.eosId()));
            Generation story = generator.generate(tokenizer.encode("", true), options, TokenListener.NONE);
            assertThat(tokenizer.decode(story.ids())).isEqualTo(EXPECTED);
        }
    }
}
