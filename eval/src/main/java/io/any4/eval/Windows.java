package io.any4.eval;

import io.any4.checkpoint.InvalidInputException;
import java.util.Arrays;

/// A text cut for evaluation by the GPTQ protocol: tokenized once, with the special tokens the tokenizer puts at the
/// start by default, then cut into consecutive windows that do not overlap; the tail is dropped.
///
/// A text shorter than one window becomes a single window of the length it has: [#shortened] says so.
///
/// @param ids the whole text
/// @param length tokens per window
/// @param textBytes UTF-8 bytes of the text, for [PerplexityResult#bitsPerByte]
/// @param shortened whether the text was too short for the window that was asked for
public record Windows(int[] ids, int length, long textBytes, boolean shortened) {
    private static final int USUAL_LENGTH = 2048;

    /// The window to use when none is asked for: 2048 tokens as in the literature, or the model's context if shorter.
    public static int usualLength(int context) {
        return Math.min(USUAL_LENGTH, context);
    }

    /// Cuts a text.
    ///
    /// @param length tokens per window, at least 2 and at most the model's context
    /// @throws InvalidInputException if the window does not suit the model, or the text has fewer than two tokens
    public static Windows cut(int[] ids, int length, int context, long textBytes) {
        if (length < 2 || length > context) {
            throw new InvalidInputException(
                    "a window of %d tokens does not suit this model: choose between 2 and its context of %d tokens"
                            .formatted(length, context));
        }
        if (ids.length < 2) {
            throw new InvalidInputException(
                    "the text has %d tokens, and perplexity needs at least two: give a longer text"
                            .formatted(ids.length));
        }
        boolean shortened = ids.length < length;
        return new Windows(ids, shortened ? ids.length : length, textBytes, shortened);
    }

    /// Number of windows, at least one.
    public int count() {
        return ids.length / length;
    }

    /// The tokens of window `index`.
    public int[] window(int index) {
        return Arrays.copyOfRange(ids, index * length, (index + 1) * length);
    }

    /// Predictions scored over all windows: every token of a window but its first.
    public long predictions() {
        return (long) count() * (length - 1);
    }
}
