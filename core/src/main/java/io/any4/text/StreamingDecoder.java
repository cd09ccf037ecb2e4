package io.any4.text;

import java.util.Arrays;

/// Turns ids that arrive one at a time into pieces of text that add up to the decoded whole.
///
/// A token may end inside a character, and a tokenizer may drop the space before the first word it decodes. So every
/// new token is decoded together with the few before it that were decided last, and what their text grew by is passed
/// on, unless it ends in an unfinished character.
public final class StreamingDecoder {
    /// No character takes more tokens than this, a byte each: text still unfinished by then is malformed for good.
    private static final int LONGEST_CHARACTER = 4;

    /// Ids of the context that are decoded along: more than any character takes.
    private static final int CONTEXT = 8;

    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private int[] window = new int[16];
    private int size;
    /// Leading ids of the window whose text was passed on already.
    private int decided;
    /// How many of the last ids left a character unfinished.
    private int unfinished;

    StreamingDecoder(Tokenizer tokenizer, int[] context) {
        this.tokenizer = tokenizer;
        size = Math.min(CONTEXT, context.length);
        System.arraycopy(context, context.length - size, window, 0, size);
        decided = size;
    }

    /// The text that became certain by this id; often the id's own text, empty in the middle of a character.
    public String next(int id) {
        if (size == window.length) {
            window = Arrays.copyOf(window, 2 * size);
        }
        window[size++] = id;
        String before = text(decided);
        String all = text(size);
        unfinished = !all.isEmpty() && all.charAt(all.length() - 1) == REPLACEMENT ? unfinished + 1 : 0;
        boolean wait = unfinished > 0 && unfinished < LONGEST_CHARACTER;
        return wait || all.length() <= before.length() ? "" : pass(before, all);
    }

    /// The text held back, once no more ids come.
    public String finish() {
        String before = text(decided);
        String all = text(size);
        return all.length() <= before.length() ? "" : pass(before, all);
    }

    private String pass(String before, String all) {
        System.arraycopy(window, decided, window, 0, size - decided);
        size -= decided;
        decided = size;
        unfinished = 0;
        return all.substring(before.length());
    }

    private String text(int count) {
        return tokenizer.decode(Arrays.copyOf(window, count));
    }
}
