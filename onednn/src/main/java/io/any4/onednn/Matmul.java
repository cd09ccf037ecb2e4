package io.any4.onednn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A product of one shape, prepared for one thread.
final class Matmul {
    private static final int SOURCE = 1;
    private static final int DESTINATION = 17;
    private static final int WEIGHTS = 33;
    /// Bytes of `dnnl_exec_arg_t`: an int, and an address at its alignment.
    private static final long ARGUMENT = 16;

    private final OneDnn oneDnn;
    private final MemorySegment primitive;
    private final MemorySegment stream;
    private final MemorySegment x;
    private final MemorySegment w;
    private final MemorySegment y;
    private final MemorySegment arguments = Arena.ofAuto().allocate(3 * ARGUMENT, 8);

    Matmul(
            OneDnn oneDnn,
            MemorySegment primitive,
            MemorySegment stream,
            MemorySegment x,
            MemorySegment w,
            MemorySegment y) {
        this.oneDnn = oneDnn;
        this.primitive = primitive;
        this.stream = stream;
        this.x = x;
        this.w = w;
        this.y = y;
        argument(0, SOURCE, x);
        argument(1, WEIGHTS, w);
        argument(2, DESTINATION, y);
    }

    private void argument(int index, int role, MemorySegment memory) {
        arguments.set(JAVA_INT, index * ARGUMENT, role);
        arguments.set(ADDRESS, index * ARGUMENT + 8, memory);
    }

    void run(MemorySegment tokens, MemorySegment rows, MemorySegment results) {
        oneDnn.point(x, tokens);
        oneDnn.point(w, rows);
        oneDnn.point(y, results);
        oneDnn.run(primitive, stream, arguments, 3);
    }
}
