package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;

/// The native memory of the process, so that kernels can load from addresses.
///
/// Compiled code checks each access to a segment against the segment's bounds and its liveness, and compiles access
/// to mapped files differently from access to allocated memory: in loops of four instructions a vector, that costs
/// more than the arithmetic. Kernels therefore take addresses and use them as `ALL` at `address & ADDRESS`. The mask
/// changes no address, but tells the compiler that none is out of bounds, and so the check is gone.
///
/// What the checks would have found is up to the callers: [VectorMatrix] makes sure that weights are still mapped
/// before it multiplies with them, and sizes are a matter of [PackedRows], [Sides] and [Arrangement].
final class NativeMemory {
    /// No processor that Java runs on has addresses of more than 56 bits.
    static final long ADDRESS = (1L << 56) - 1;

    /// The same for offsets, which are less than 2^31.
    static final long OFFSET = Integer.MAX_VALUE;

    static final MemorySegment ALL = all();

    private NativeMemory() {}

    @SuppressWarnings("restricted")
    private static MemorySegment all() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }
}
