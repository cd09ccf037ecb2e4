package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.NativeMemory.OFFSET;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;

/// Products of four rows with one, two or four tokens, added to sums that stay in registers meanwhile.
///
/// A row and a token have one vector of sums. At address `sums` stand those of the first token with the four rows,
/// then those of the second and so on: they come and go through memory and never as arguments, because the compiler
/// may stop inlining there, and a sum that leaves as an object is one in every round of the loop. Rows start at
/// address `w`, tokens at `x`, `row` bytes apart; `bytes` of each are multiplied.
final class Tiles {
    /// Not final, so that the compiler does not know the step of the loops: it would unroll them eightfold and keep
    /// most of their vectors in memory.
    private static long vectorBytes = VECTOR_BYTES;

    private Tiles() {}

    /// Four rows, one token.
    static void one(long w, long row, long x, long bytes, long sums) {
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = w & ADDRESS;
        long w1 = (w + row) & ADDRESS;
        long w2 = (w + 2 * row) & ADDRESS;
        long w3 = (w + 3 * row) & ADDRESS;
        long x0 = x & ADDRESS;
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            long at = i & OFFSET;
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + at, ORDER);
            FloatVector k = FloatVector.fromMemorySegment(FLOATS, ALL, w0 + at, ORDER);
            a0 = k.fma(s, a0);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w1 + at, ORDER);
            a1 = k.fma(s, a1);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w2 + at, ORDER);
            a2 = k.fma(s, a2);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w3 + at, ORDER);
            a3 = k.fma(s, a3);
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }

    /// Four rows, two tokens.
    static void two(long w, long row, long x, long token, long bytes, long sums) {
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 4 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 5 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 6 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 7 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = w & ADDRESS;
        long w1 = (w + row) & ADDRESS;
        long w2 = (w + 2 * row) & ADDRESS;
        long w3 = (w + 3 * row) & ADDRESS;
        long x0 = x & ADDRESS;
        long x1 = (x + token) & ADDRESS;
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            long at = i & OFFSET;
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + at, ORDER);
            FloatVector t = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + at, ORDER);
            FloatVector k = FloatVector.fromMemorySegment(FLOATS, ALL, w0 + at, ORDER);
            a0 = k.fma(s, a0);
            b0 = k.fma(t, b0);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w1 + at, ORDER);
            a1 = k.fma(s, a1);
            b1 = k.fma(t, b1);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w2 + at, ORDER);
            a2 = k.fma(s, a2);
            b2 = k.fma(t, b2);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w3 + at, ORDER);
            a3 = k.fma(s, a3);
            b3 = k.fma(t, b3);
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        b0.intoMemorySegment(ALL, (sums + 4 * VECTOR_BYTES) & ADDRESS, ORDER);
        b1.intoMemorySegment(ALL, (sums + 5 * VECTOR_BYTES) & ADDRESS, ORDER);
        b2.intoMemorySegment(ALL, (sums + 6 * VECTOR_BYTES) & ADDRESS, ORDER);
        b3.intoMemorySegment(ALL, (sums + 7 * VECTOR_BYTES) & ADDRESS, ORDER);
    }

    /// Four rows, four tokens, two vectors of each at a time: a smaller loop would be half addresses.
    ///
    /// @param bytes those of an even number of vectors
    static void four(long w, long row, long x, long token, long bytes, long sums) {
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 4 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 5 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 6 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 7 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 8 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 9 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 10 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 11 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 12 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 13 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 14 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 15 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = w & ADDRESS;
        long w1 = (w + row) & ADDRESS;
        long w2 = (w + 2 * row) & ADDRESS;
        long w3 = (w + 3 * row) & ADDRESS;
        long x0 = x & ADDRESS;
        long x1 = (x + token) & ADDRESS;
        long x2 = (x + 2 * token) & ADDRESS;
        long x3 = (x + 3 * token) & ADDRESS;
        long step = 2 * vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            long at = i & OFFSET;
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + at, ORDER);
            FloatVector t = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + at, ORDER);
            FloatVector u = FloatVector.fromMemorySegment(FLOATS, ALL, x2 + at, ORDER);
            FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, x3 + at, ORDER);
            FloatVector k = FloatVector.fromMemorySegment(FLOATS, ALL, w0 + at, ORDER);
            a0 = k.fma(s, a0);
            b0 = k.fma(t, b0);
            c0 = k.fma(u, c0);
            d0 = k.fma(v, d0);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w1 + at, ORDER);
            a1 = k.fma(s, a1);
            b1 = k.fma(t, b1);
            c1 = k.fma(u, c1);
            d1 = k.fma(v, d1);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w2 + at, ORDER);
            a2 = k.fma(s, a2);
            b2 = k.fma(t, b2);
            c2 = k.fma(u, c2);
            d2 = k.fma(v, d2);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w3 + at, ORDER);
            a3 = k.fma(s, a3);
            b3 = k.fma(t, b3);
            c3 = k.fma(u, c3);
            d3 = k.fma(v, d3);
            s = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + at + VECTOR_BYTES, ORDER);
            t = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + at + VECTOR_BYTES, ORDER);
            u = FloatVector.fromMemorySegment(FLOATS, ALL, x2 + at + VECTOR_BYTES, ORDER);
            v = FloatVector.fromMemorySegment(FLOATS, ALL, x3 + at + VECTOR_BYTES, ORDER);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w0 + at + VECTOR_BYTES, ORDER);
            a0 = k.fma(s, a0);
            b0 = k.fma(t, b0);
            c0 = k.fma(u, c0);
            d0 = k.fma(v, d0);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w1 + at + VECTOR_BYTES, ORDER);
            a1 = k.fma(s, a1);
            b1 = k.fma(t, b1);
            c1 = k.fma(u, c1);
            d1 = k.fma(v, d1);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w2 + at + VECTOR_BYTES, ORDER);
            a2 = k.fma(s, a2);
            b2 = k.fma(t, b2);
            c2 = k.fma(u, c2);
            d2 = k.fma(v, d2);
            k = FloatVector.fromMemorySegment(FLOATS, ALL, w3 + at + VECTOR_BYTES, ORDER);
            a3 = k.fma(s, a3);
            b3 = k.fma(t, b3);
            c3 = k.fma(u, c3);
            d3 = k.fma(v, d3);
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        b0.intoMemorySegment(ALL, (sums + 4 * VECTOR_BYTES) & ADDRESS, ORDER);
        b1.intoMemorySegment(ALL, (sums + 5 * VECTOR_BYTES) & ADDRESS, ORDER);
        b2.intoMemorySegment(ALL, (sums + 6 * VECTOR_BYTES) & ADDRESS, ORDER);
        b3.intoMemorySegment(ALL, (sums + 7 * VECTOR_BYTES) & ADDRESS, ORDER);
        c0.intoMemorySegment(ALL, (sums + 8 * VECTOR_BYTES) & ADDRESS, ORDER);
        c1.intoMemorySegment(ALL, (sums + 9 * VECTOR_BYTES) & ADDRESS, ORDER);
        c2.intoMemorySegment(ALL, (sums + 10 * VECTOR_BYTES) & ADDRESS, ORDER);
        c3.intoMemorySegment(ALL, (sums + 11 * VECTOR_BYTES) & ADDRESS, ORDER);
        d0.intoMemorySegment(ALL, (sums + 12 * VECTOR_BYTES) & ADDRESS, ORDER);
        d1.intoMemorySegment(ALL, (sums + 13 * VECTOR_BYTES) & ADDRESS, ORDER);
        d2.intoMemorySegment(ALL, (sums + 14 * VECTOR_BYTES) & ADDRESS, ORDER);
        d3.intoMemorySegment(ALL, (sums + 15 * VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
