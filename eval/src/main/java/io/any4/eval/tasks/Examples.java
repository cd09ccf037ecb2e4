package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.List;

/// Draws the worked examples before each question. Documents must be asked for in order, as each draw continues the
/// random numbers of the one before.
final class Examples {
    /// What the harness seeds its draws with unless told otherwise.
    private static final int SEED = 1234;

    private final Task task;
    private final List<Document> pool;
    private final int shots;
    private final PythonRandom random = new PythonRandom(SEED);

    /// @param pool documents to draw from; not used if there are no shots
    Examples(Task task, List<Document> pool, int shots) {
        this.task = task;
        this.pool = pool;
        this.shots = shots;
        int needed = task.drawing() == Task.Drawing.RANDOM_OTHERS ? shots + 1 : shots;
        if (shots > 0 && pool.size() < needed) {
            throw new InvalidInputException("%s has %d documents to draw examples from, but %d shots need %d: ask for "
                            .formatted(task.name(), pool.size(), shots, needed)
                    + "fewer shots or complete the data");
        }
    }

    /// What precedes the question of `document`.
    String prefix(Document document) {
        StringBuilder prefix = new StringBuilder(task.description());
        for (Document example : draw(document)) {
            prefix.append(task.item().apply(example).example());
        }
        return prefix.toString();
    }

    private List<Document> draw(Document document) {
        if (shots == 0) {
            return List.of();
        }
        return switch (task.drawing()) {
            case FIRST -> pool.subList(0, shots);
            case RANDOM -> random.sample(pool, shots);
            case RANDOM_OTHERS -> drawOthers(document);
        };
    }

    private List<Document> drawOthers(Document document) {
        List<Document> drawn = others(random.sample(pool, shots + 1), document);
        return drawn.size() >= shots ? drawn.subList(0, shots) : random.sample(others(pool, document), shots);
    }

    private static List<Document> others(List<Document> documents, Document document) {
        return documents.stream()
                .filter(other -> !other.fields().equals(document.fields()))
                .toList();
    }
}
