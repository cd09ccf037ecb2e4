package io.any4.tinygemm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Working memory of one thread, kept between operations so that a token allocates nothing.
final class Scratch {
    private static final ThreadLocal<Scratch> OWN = ThreadLocal.withInitial(Scratch::new);

    private float[] floats = new float[0];
    private int[] ints = new int[0];
    private byte[] bytes = new byte[0];
    private final float[] table = new float[16];
    private MemorySegment panel = aligned(0);
    private MemorySegment sums = aligned(0);

    private Scratch() {}

    /// At least `length` floats of the calling thread, with whatever is in them; the next call returns the
    /// same array.
    static float[] floats(int length) {
        Scratch own = OWN.get();
        if (own.floats.length < length) {
            own.floats = new float[Math.max(length, 1 << 12)];
        }
        return own.floats;
    }

    /// At least `length` integers of the calling thread, likewise.
    static int[] ints(int length) {
        Scratch own = OWN.get();
        if (own.ints.length < length) {
            own.ints = new int[length];
        }
        return own.ints;
    }

    /// At least `length` bytes of the calling thread, likewise.
    static byte[] bytes(int length) {
        Scratch own = OWN.get();
        if (own.bytes.length < length) {
            own.bytes = new byte[length];
        }
        return own.bytes;
    }

    /// Sixteen floats more: a table.
    static float[] table() {
        return OWN.get().table;
    }

    /// Floats as memory in which vectors can be aligned.
    static MemorySegment panel(long length) {
        Scratch own = OWN.get();
        if (own.panel.byteSize() < 4 * length) {
            own.panel = aligned(length);
        }
        return own.panel;
    }

    /// The address of at least `length` floats more, on a cache line.
    static long sums(int length) {
        Scratch own = OWN.get();
        if (own.sums.byteSize() < 4L * length) {
            own.sums = aligned(length);
        }
        return own.sums.address();
    }

    /// Room for `length` floats, starting on a cache line: vectors as long as a line load at half the speed
    /// or less where they straddle two, as they do in arrays.
    static MemorySegment aligned(long length) {
        return Arena.ofAuto().allocate(4 * length, 64);
    }
}
