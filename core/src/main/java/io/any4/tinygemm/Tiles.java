package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Dot products of four rows with one, two or four tokens, summed in registers.
///
/// Sums, one vector for each pair, leave through memory and never as arguments: the compiler may stop inlining there,
/// and a sum that leaves as an object is one in every round of the loop.
final class Tiles {
    /// Floats that the sums of the largest tile take: four vectors per token.
    static final int SUMS = 16 * LANES;

    /// Not final, so that the compiler does not know the step of the loops: it would unroll them eightfold and keep
    /// most of their vectors in memory.
    private static long vectorBytes = 4L * LANES;

    private Tiles() {}

    /// Four rows, one token.
    static void one(MemorySegment w, MemorySegment x, long at, long bytes, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        MemorySegment w0 = w.asSlice(0, bytes);
        MemorySegment w1 = w.asSlice(bytes, bytes);
        MemorySegment w2 = w.asSlice(2 * bytes, bytes);
        MemorySegment w3 = w.asSlice(3 * bytes, bytes);
        MemorySegment x0 = x.asSlice(at, bytes);
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, x0, i, ORDER);
            FloatVector row = FloatVector.fromMemorySegment(FLOATS, w0, i, ORDER);
            a0 = row.fma(s, a0);
            row = FloatVector.fromMemorySegment(FLOATS, w1, i, ORDER);
            a1 = row.fma(s, a1);
            row = FloatVector.fromMemorySegment(FLOATS, w2, i, ORDER);
            a2 = row.fma(s, a2);
            row = FloatVector.fromMemorySegment(FLOATS, w3, i, ORDER);
            a3 = row.fma(s, a3);
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
    }

    /// Four rows, two tokens.
    static void two(MemorySegment w, MemorySegment x, long at, long bytes, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        MemorySegment w0 = w.asSlice(0, bytes);
        MemorySegment w1 = w.asSlice(bytes, bytes);
        MemorySegment w2 = w.asSlice(2 * bytes, bytes);
        MemorySegment w3 = w.asSlice(3 * bytes, bytes);
        MemorySegment x0 = x.asSlice(at, bytes);
        MemorySegment x1 = x.asSlice(at + bytes, bytes);
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, x0, i, ORDER);
            FloatVector t = FloatVector.fromMemorySegment(FLOATS, x1, i, ORDER);
            FloatVector row = FloatVector.fromMemorySegment(FLOATS, w0, i, ORDER);
            a0 = row.fma(s, a0);
            b0 = row.fma(t, b0);
            row = FloatVector.fromMemorySegment(FLOATS, w1, i, ORDER);
            a1 = row.fma(s, a1);
            b1 = row.fma(t, b1);
            row = FloatVector.fromMemorySegment(FLOATS, w2, i, ORDER);
            a2 = row.fma(s, a2);
            b2 = row.fma(t, b2);
            row = FloatVector.fromMemorySegment(FLOATS, w3, i, ORDER);
            a3 = row.fma(s, a3);
            b3 = row.fma(t, b3);
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
        b0.intoArray(sums, 4 * LANES);
        b1.intoArray(sums, 5 * LANES);
        b2.intoArray(sums, 6 * LANES);
        b3.intoArray(sums, 7 * LANES);
    }

    /// Four rows, four tokens: twenty-one vector registers.
    static void four(MemorySegment w, MemorySegment x, long at, long bytes, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector c2 = a0;
        FloatVector c3 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        FloatVector d2 = a0;
        FloatVector d3 = a0;
        MemorySegment w0 = w.asSlice(0, bytes);
        MemorySegment w1 = w.asSlice(bytes, bytes);
        MemorySegment w2 = w.asSlice(2 * bytes, bytes);
        MemorySegment w3 = w.asSlice(3 * bytes, bytes);
        MemorySegment x0 = x.asSlice(at, bytes);
        MemorySegment x1 = x.asSlice(at + bytes, bytes);
        MemorySegment x2 = x.asSlice(at + 2 * bytes, bytes);
        MemorySegment x3 = x.asSlice(at + 3 * bytes, bytes);
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, x0, i, ORDER);
            FloatVector t = FloatVector.fromMemorySegment(FLOATS, x1, i, ORDER);
            FloatVector u = FloatVector.fromMemorySegment(FLOATS, x2, i, ORDER);
            FloatVector v = FloatVector.fromMemorySegment(FLOATS, x3, i, ORDER);
            FloatVector row = FloatVector.fromMemorySegment(FLOATS, w0, i, ORDER);
            a0 = row.fma(s, a0);
            b0 = row.fma(t, b0);
            c0 = row.fma(u, c0);
            d0 = row.fma(v, d0);
            row = FloatVector.fromMemorySegment(FLOATS, w1, i, ORDER);
            a1 = row.fma(s, a1);
            b1 = row.fma(t, b1);
            c1 = row.fma(u, c1);
            d1 = row.fma(v, d1);
            row = FloatVector.fromMemorySegment(FLOATS, w2, i, ORDER);
            a2 = row.fma(s, a2);
            b2 = row.fma(t, b2);
            c2 = row.fma(u, c2);
            d2 = row.fma(v, d2);
            row = FloatVector.fromMemorySegment(FLOATS, w3, i, ORDER);
            a3 = row.fma(s, a3);
            b3 = row.fma(t, b3);
            c3 = row.fma(u, c3);
            d3 = row.fma(v, d3);
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
        b0.intoArray(sums, 4 * LANES);
        b1.intoArray(sums, 5 * LANES);
        b2.intoArray(sums, 6 * LANES);
        b3.intoArray(sums, 7 * LANES);
        c0.intoArray(sums, 8 * LANES);
        c1.intoArray(sums, 9 * LANES);
        c2.intoArray(sums, 10 * LANES);
        c3.intoArray(sums, 11 * LANES);
        d0.intoArray(sums, 12 * LANES);
        d1.intoArray(sums, 13 * LANES);
        d2.intoArray(sums, 14 * LANES);
        d3.intoArray(sums, 15 * LANES);
    }
}
