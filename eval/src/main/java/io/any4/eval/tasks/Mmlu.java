package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.List;
import java.util.stream.Stream;

/// MMLU (Hendrycks et al., arXiv 2009.03300): examination questions with four choices; one task per subject.
final class Mmlu {
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");

    private static final DataSource SOURCE =
            new DataSource("cais/mmlu", "all", List.of("mmlu"), Split.TEST, Split.DEV, null);

    /// Subjects by area; each area and the whole are reported, weighted by documents.
    private static final List<Benchmark> AREAS =
            List.of(area("humanities", """
                    formal_logic high_school_european_history high_school_us_history high_school_world_history
                    international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy
                    prehistory professional_law world_religions"""), area("other", """
                    business_ethics clinical_knowledge college_medicine global_facts human_aging management
                    marketing medical_genetics miscellaneous nutrition professional_accounting professional_medicine
                    virology"""), area("social_sciences", """
                    econometrics high_school_geography high_school_government_and_politics
                    high_school_macroeconomics high_school_microeconomics high_school_psychology human_sexuality
                    professional_psychology public_relations security_studies sociology us_foreign_policy"""), area("stem", """
                    abstract_algebra anatomy astronomy college_biology college_chemistry college_computer_science
                    college_mathematics college_physics computer_security conceptual_physics electrical_engineering
                    elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science
                    high_school_mathematics high_school_physics high_school_statistics machine_learning"""));

    private Mmlu() {}

    /// All subjects, grouped by area.
    static Benchmark group() {
        return new Benchmark.Group("mmlu", "2", AREAS);
    }

    private static Benchmark area(String name, String subjects) {
        List<Benchmark> tasks =
                Stream.of(subjects.split("\\s+")).<Benchmark>map(Mmlu::task).toList();
        return new Benchmark.Group("mmlu_" + name, "2", tasks);
    }

    private static Task task(String subject) {
        return new Task(
                "mmlu_" + subject,
                "1.0",
                SOURCE.withSubject(subject),
                "The following are multiple choice questions (with answers) about %s.\n\n"
                        .formatted(subject.replace('_', ' ')),
                0,
                Task.Drawing.FIRST,
                List.of(Metric.ACCURACY),
                Mmlu::item);
    }

    private static Item item(Document document) {
        List<String> choices = document.texts("choices");
        if (choices.size() < LETTERS.size()) {
            throw new InvalidInputException(document.where() + ": 'choices' has fewer than four");
        }
        StringBuilder text = new StringBuilder(PythonText.strip(document.text("question")));
        for (int i = 0; i < LETTERS.size(); i++) {
            text.append('\n').append(LETTERS.get(i)).append(". ").append(choices.get(i));
        }
        return new MultipleChoice(text.append("\nAnswer:").toString(), LETTERS, answer(document));
    }

    /// The hub has an index, other copies of the data have the letter.
    private static int answer(Document document) {
        boolean letter = document.fields().path("answer").isString();
        int index = letter ? LETTERS.indexOf(document.text("answer")) : document.index("answer", LETTERS.size());
        if (index < 0) {
            throw new InvalidInputException(document.where() + ": 'answer' is none of " + LETTERS);
        }
        return index;
    }
}
