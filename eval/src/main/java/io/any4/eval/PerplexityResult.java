package io.any4.eval;

/// What evaluating one model on one text gave.
///
/// @param perplexity exp of the mean over windows of the mean cross-entropy of their predictions
/// @param nats mean cross-entropy per predicted token, in nats: the logarithm of the perplexity
/// @param bitsPerByte the same per UTF-8 byte of text, in bits: comparable across tokenizers
/// @param windows windows scored
/// @param window tokens per window
/// @param predictions tokens predicted, over all windows
/// @param seconds time spent in the model
/// @param tokensPerSecond tokens run through the model per second
public record PerplexityResult(
        double perplexity,
        double nats,
        double bitsPerByte,
        int windows,
        int window,
        long predictions,
        double seconds,
        double tokensPerSecond) {

    static PerplexityResult of(double nats, Windows windows, double seconds) {
        double tokensPerByte = (windows.ids().length - 1.0) / Math.max(1, windows.textBytes());
        long tokens = (long) windows.count() * windows.length();
        return new PerplexityResult(
                Math.exp(nats),
                nats,
                nats / Math.log(2) * tokensPerByte,
                windows.count(),
                windows.length(),
                windows.predictions(),
                seconds,
                tokens / seconds);
    }
}
