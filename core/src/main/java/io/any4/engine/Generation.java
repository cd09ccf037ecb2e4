package io.any4.engine;

/// What a generation produced and how long it took.
///
/// @param ids the new tokens, without the one that ended the sequence
/// @param promptTokens tokens of the prompt
/// @param secondsToFirstToken from the start to the first choice: the time of the prefill
/// @param seconds from the start to the end
public record Generation(int[] ids, StopReason reason, int promptTokens, double secondsToFirstToken, double seconds) {
    /// Prompt tokens per second.
    public double prefillSpeed() {
        return promptTokens / secondsToFirstToken;
    }

    /// Tokens per second after the first; 0 if there was only one.
    public double decodeSpeed() {
        return ids.length < 2 ? 0 : (ids.length - 1) / (seconds - secondsToFirstToken);
    }
}
