package io.any4.machine;

import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The programs that multiply weights of one [ByteShape] with tokens, written when they are first needed.
///
/// All memory is given by addresses and has to be as [ByteShape] says.
public final class BytePrograms {
    private static final Map<Key, BytePrograms> KNOWN = new ConcurrentHashMap<>();

    private final ByteShape shape;
    private final Isa isa;
    /// By the number of tokens. Two threads may write the same one at the same time; either will do.
    private final @Nullable MethodHandle[] written;

    private record Key(ByteShape shape, Isa isa) {}

    private BytePrograms(ByteShape shape, Isa isa) {
        this.shape = shape;
        this.isa = isa;
        written = new MethodHandle[tokens() + 1];
    }

    /// @param isa one that [Isa#addsBytes]
    /// @throws IllegalStateException if there is no memory for programs
    public static BytePrograms of(ByteShape shape, Isa isa) {
        return KNOWN.computeIfAbsent(new Key(shape, isa), key -> new BytePrograms(key.shape, key.isa));
    }

    /// The most tokens that [#multiply] takes.
    public int tokens() {
        return ByteProgram.mostTokens(isa);
    }

    /// As [ByteProgram] says.
    public void multiply(int tokens, long rows, long token, long result, long count, long resultStride) {
        try {
            program(tokens).invokeExact(rows, token, result, count, resultStride);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandle program(int tokens) {
        MethodHandle program = written[tokens];
        if (program == null) {
            program = CodeMemory.function(ByteProgram.write(shape, isa, tokens), ByteProgram.PARAMETERS);
            written[tokens] = program;
        }
        return program;
    }
}
