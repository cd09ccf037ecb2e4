package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/// How documents become prompts, where a data set is published in more than one form.
class TaskFormatTest {
    @Test
    void hellaSwagIsCleaned() {
        Item item = item(HellaSwag.TASK, """
                {"activity_label": "Home", "ctx_a": "[header] Mend it [title] First.", "ctx_b": "the Man",
                 "endings": ["[step] saws  it. ", "sings."], "label": "1"}""");
        assertThat(item.example()).isEqualTo("Home: Mend it. First. The man sings.\n\n");
        assertThat(((MultipleChoice) item).choices()).containsExactly(" saws it.", "sings.");
    }

    @Test
    void preparedDocumentsAreTakenAsTheyStand() {
        String document = """
                {"query": "A man sits. he", "choices": ["stands.", "flies."], "gold": 0}""";
        assertThat(item(HellaSwag.TASK, document).example()).isEqualTo("A man sits. he stands.\n\n");
        assertThat(item(Copa.TASK, document).example()).isEqualTo("A man sits. he  stands.\n\n");
    }

    @Test
    void allenInstituteFilesNestTheQuestion() {
        String hub = """
                {"question": "Q?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"}""";
        String original = """
                {"question": {"stem": "Q?", "choices": [{"text": "x", "label": "1"}, {"text": "y", "label": "2"}]},
                 "answerKey": "2"}""";
        assertThat(item(Arc.EASY, original)).isEqualTo(item(Arc.EASY, hub));
        assertThat(item(Arc.EASY, hub).example()).isEqualTo("Question: Q?\nAnswer: y\n\n");
        assertThat(item(OpenBookQa.TASK, original).example()).isEqualTo("Q? y\n\n");
    }

    @Test
    void winoGrandeKeepsWhatFollowsTheGap() {
        Item item = item(WinoGrande.TASK, """
                {"sentence": "Ann met Eve and _ waved.", "option1": "Ann", "option2": "Eve", "answer": "2"}""");
        assertThat(item.example()).isEqualTo("Ann met Eve and Eve waved.\n\n");
        Item prepared = item(WinoGrande.TASK, """
                {"context_options": ["Ann met Eve and Ann", "Ann met Eve and Eve"], "continuation": "waved.",
                 "gold": 1}""");
        assertThat(prepared).isEqualTo(item);
    }

    @Test
    void boolQHasLabelsOfSeveralKinds() {
        String expected = "P.\nQuestion: q?\nAnswer: yes\n\n";
        for (String label : new String[] {"\"label\": 1", "\"label\": true", "\"answer\": true"}) {
            String document = "{\"passage\": \"P.\", \"question\": \"q\", " + label + "}";
            assertThat(item(BoolQ.TASK, document).example()).isEqualTo(expected);
        }
    }

    @Test
    void copaConnectsTheSentences() {
        Item item = item(Copa.TASK, """
                {"premise": "It rained. ", "choice1": "I got wet.", "choice2": "I sang.", "question": "effect",
                 "label": 0}""");
        assertThat(item.requests("")).first().isEqualTo(new Request.Likelihood("It rained therefore", "  i got wet."));
    }

    @Test
    void lambadaSplitsOffTheLastWord() {
        Item item = item(Lambada.TASK, "{\"text\": \"one two\\n three\"}");
        assertThat(item.requests("")).containsExactly(new Request.Likelihood("one two\n", " three"));
        assertThat(item(Lambada.TASK, "{\"context\": \"one two\\n\", \"continuation\": \"three\"}"))
                .isEqualTo(item);
    }

    @Test
    void mmluAnswersAreLettersOrIndices() {
        String document = """
                {"subject": "anatomy", "question": " Q? ", "choices": ["k", "l", "m", "n"], "answer": %s}""";
        Task task = (Task) Benchmarks.named("mmlu_anatomy");
        assertThat(item(task, document.formatted("2")).example())
                .isEqualTo("Q?\nA. k\nB. l\nC. m\nD. n\nAnswer: C\n\n");
        assertThat(item(task, document.formatted("\"C\""))).isEqualTo(item(task, document.formatted("2")));
    }

    @Test
    void brokenDocumentsAreNamed() {
        assertThatThrownBy(() -> item(Piqa.TASK, "{\"goal\": \"g\", \"sol1\": \"s\"}"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("piqa.jsonl, document 7")
                .hasMessageContaining("'sol2'");
        assertThatThrownBy(() -> item(BoolQ.TASK, "{\"passage\": \"p\", \"question\": \"q\", \"label\": 2}"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("'label' is 2, but there are 2 choices");
        assertThatThrownBy(() -> Benchmarks.named("helaswag"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("helaswag")
                .hasMessageContaining("hellaswag, piqa");
    }

    private static Item item(Task task, String json) {
        return task.item().apply(new Document(JsonMapper.shared().readTree(json), task.name() + ".jsonl, document 7"));
    }
}
