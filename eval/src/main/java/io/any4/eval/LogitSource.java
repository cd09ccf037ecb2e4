package io.any4.eval;

/// A language model as evaluation sees it: ids in, logits out, the logits in slices because those of a whole window
/// need not fit in memory.
interface LogitSource {
    /// Logits per position.
    int vocabulary();

    /// Runs one window from an empty context.
    void forward(int[] ids);

    /// Writes the logits of `count` positions of the last window, from position `from` on, to `out`
    /// `[count, vocabulary]`.
    void logits(int from, int count, float[] out);
}
