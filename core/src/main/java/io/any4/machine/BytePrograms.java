package io.any4.machine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The programs that multiply weights of one [ByteShape] with tokens, written when they are first needed.
///
/// All memory is given by addresses and has to be as [ByteShape] says.
public final class BytePrograms {
    private static final Map<Key, BytePrograms> KNOWN = new ConcurrentHashMap<>();

    private final int tokens;
    private final ProgramsByTokens programs;

    private record Key(ByteShape shape, Isa isa) {}

    private BytePrograms(ByteShape shape, Isa isa) {
        tokens = ByteProgram.mostTokens(isa);
        programs = new ProgramsByTokens(count -> ByteProgram.write(shape, isa, count), ByteProgram.PARAMETERS, tokens);
    }

    /// @param isa one that [Isa#addsBytes]
    /// @throws IllegalStateException if there is no memory for programs
    public static BytePrograms of(ByteShape shape, Isa isa) {
        return KNOWN.computeIfAbsent(new Key(shape, isa), key -> new BytePrograms(key.shape, key.isa));
    }

    /// The most tokens that [#multiply] takes.
    public int tokens() {
        return tokens;
    }

    /// As [ByteProgram] says.
    public void multiply(int tokens, long rows, long token, long result, long count, long resultStride) {
        try {
            programs.of(tokens).invokeExact(rows, token, result, count, resultStride);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
