package io.any4.eval;

import java.util.stream.IntStream;

/// Adds up the losses of one model and, against another model's logits, its divergence. One window at a time, in
/// slices of positions; rows are worked on in parallel and summed in order.
final class ModelScore {
    private final LogitSource model;
    private final int vocabulary;
    private final float[] logits;
    private final double[] logSums;
    private final double[] losses;
    private final double[] divergences;
    private final boolean[] agreements;
    private double windowMeans;
    private int windows;
    private double windowLoss;
    private double divergence;
    private long agreed;
    private long compared;
    private long nanos;

    /// @param slice most positions handed to [#slice] at once
    ModelScore(LogitSource model, int slice) {
        this.model = model;
        vocabulary = model.vocabulary();
        logits = new float[Math.multiplyExact(slice, vocabulary)];
        logSums = new double[slice];
        losses = new double[slice];
        divergences = new double[slice];
        agreements = new boolean[slice];
    }

    void forward(int[] ids) {
        long start = System.nanoTime();
        windowLoss = 0;
        model.forward(ids);
        nanos += System.nanoTime() - start;
    }

    /// Scores positions `from` to `from + count - 1` of the last window; each predicts the token after it.
    void slice(int[] ids, int from, int count) {
        long start = System.nanoTime();
        model.logits(from, count, logits);
        nanos += System.nanoTime() - start;
        IntStream.range(0, count).parallel().forEach(i -> {
            logSums[i] = Softmax.logSumExp(logits, i * vocabulary, vocabulary);
            int next = from + i + 1;
            losses[i] = next < ids.length ? logSums[i] - logits[i * vocabulary + ids[next]] : 0;
        });
        for (int i = 0; i < count; i++) {
            windowLoss += losses[i];
        }
    }

    /// Compares the slice just scored with the same slice of the original model.
    void compare(ModelScore original, int count) {
        IntStream.range(0, count).parallel().forEach(i -> {
            int row = i * vocabulary;
            divergences[i] =
                    Softmax.divergence(original.logits, original.logSums[i], logits, logSums[i], row, vocabulary);
            agreements[i] = Softmax.argmax(original.logits, row, vocabulary) == Softmax.argmax(logits, row, vocabulary);
        });
        for (int i = 0; i < count; i++) {
            divergence += divergences[i];
            agreed += agreements[i] ? 1 : 0;
        }
        compared += count;
    }

    void endWindow(int length) {
        windowMeans += windowLoss / (length - 1);
        windows++;
    }

    /// Mean cross-entropy in nats over the windows so far.
    double nats() {
        return windowMeans / windows;
    }

    double seconds() {
        return nanos / 1e9;
    }

    Divergence divergence() {
        return new Divergence(divergence / compared, (double) agreed / compared, compared);
    }
}
