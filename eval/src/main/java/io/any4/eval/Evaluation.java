package io.any4.eval;

import io.any4.checkpoint.InvalidInputException;
import java.util.ArrayList;
import java.util.List;

/// Runs the windows of a text through one model, or through an original and its quantized versions side by side, so
/// that the original is run once and no logits outlive their slice.
final class Evaluation {
    /// Logits of one slice take at most this many floats per model, unless a single position has more.
    private static final int SLICE_FLOATS = 1 << 21;

    private final Windows windows;
    private final EvaluationListener listener;

    Evaluation(Windows windows, EvaluationListener listener) {
        this.windows = windows;
        this.listener = listener;
    }

    /// One score per model, in order; the first model is the original that the others are compared with.
    List<ModelScore> run(List<? extends LogitSource> models) {
        int vocabulary = models.getFirst().vocabulary();
        for (LogitSource model : models) {
            if (model.vocabulary() != vocabulary) {
                throw new InvalidInputException(
                        "models with vocabularies of %d and %d tokens cannot be compared: give quantized versions of one model"
                                .formatted(vocabulary, model.vocabulary()));
            }
        }
        int slice = Math.clamp(SLICE_FLOATS / vocabulary, 1, windows.length());
        List<ModelScore> scores = new ArrayList<>();
        models.forEach(model -> scores.add(new ModelScore(model, slice)));
        for (int w = 0; w < windows.count(); w++) {
            runWindow(w, slice, scores);
        }
        return scores;
    }

    private void runWindow(int index, int slice, List<ModelScore> scores) {
        int[] ids = windows.window(index);
        ModelScore original = scores.getFirst();
        scores.forEach(score -> score.forward(ids));
        for (int from = 0; from < ids.length; from += slice) {
            int count = Math.min(slice, ids.length - from);
            for (ModelScore score : scores) {
                score.slice(ids, from, count);
                if (score != original) {
                    score.compare(original, count);
                }
            }
        }
        for (int m = 0; m < scores.size(); m++) {
            endWindow(scores.get(m), ids.length);
            listener.ran(
                    index * scores.size() + m + 1,
                    windows.count() * scores.size(),
                    Math.exp(scores.get(m).nats()));
        }
    }

    private static void endWindow(ModelScore score, int length) {
        score.endWindow(length);
        if (!Double.isFinite(score.nats())) {
            throw new InvalidInputException(
                    "the model's logits are not finite numbers: its weights are damaged, or too large for this format");
        }
    }
}
