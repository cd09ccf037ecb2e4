package io.any4.machine;

import java.lang.invoke.MethodHandle;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Programs that differ by the number of tokens, each written when it is first needed. Two threads may write
/// the same one at the same time; either will do.
final class ProgramsByTokens {
    private final IntFunction<byte[]> writer;
    private final int parameters;
    private final @Nullable MethodHandle[] written;

    ProgramsByTokens(IntFunction<byte[]> writer, int parameters, int mostTokens) {
        this.writer = writer;
        this.parameters = parameters;
        written = new MethodHandle[mostTokens + 1];
    }

    MethodHandle of(int tokens) {
        MethodHandle program = written[tokens];
        if (program == null) {
            program = CodeMemory.function(writer.apply(tokens), parameters);
            written[tokens] = program;
        }
        return program;
    }
}
