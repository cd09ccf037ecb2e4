package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

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
    static void one(long w, long x, long bytes, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        long w0 = w;
        long w1 = w + bytes;
        long w2 = w + 2 * bytes;
        long w3 = w + 3 * bytes;
        long x0 = x;
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, ALL, (x0 + i) & ADDRESS, ORDER);
            FloatVector row = FloatVector.fromMemorySegment(FLOATS, ALL, (w0 + i) & ADDRESS, ORDER);
            a0 = row.fma(s, a0);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w1 + i) & ADDRESS, ORDER);
            a1 = row.fma(s, a1);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w2 + i) & ADDRESS, ORDER);
            a2 = row.fma(s, a2);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w3 + i) & ADDRESS, ORDER);
            a3 = row.fma(s, a3);
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
    }

    /// Four rows, two tokens.
    static void two(long w, long x, long bytes, float[] sums) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        long w0 = w;
        long w1 = w + bytes;
        long w2 = w + 2 * bytes;
        long w3 = w + 3 * bytes;
        long x0 = x;
        long x1 = x + bytes;
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, ALL, (x0 + i) & ADDRESS, ORDER);
            FloatVector t = FloatVector.fromMemorySegment(FLOATS, ALL, (x1 + i) & ADDRESS, ORDER);
            FloatVector row = FloatVector.fromMemorySegment(FLOATS, ALL, (w0 + i) & ADDRESS, ORDER);
            a0 = row.fma(s, a0);
            b0 = row.fma(t, b0);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w1 + i) & ADDRESS, ORDER);
            a1 = row.fma(s, a1);
            b1 = row.fma(t, b1);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w2 + i) & ADDRESS, ORDER);
            a2 = row.fma(s, a2);
            b2 = row.fma(t, b2);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w3 + i) & ADDRESS, ORDER);
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
    static void four(long w, long x, long bytes, float[] sums) {
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
        long w0 = w;
        long w1 = w + bytes;
        long w2 = w + 2 * bytes;
        long w3 = w + 3 * bytes;
        long x0 = x;
        long x1 = x + bytes;
        long x2 = x + 2 * bytes;
        long x3 = x + 3 * bytes;
        long step = vectorBytes;
        for (long i = 0; i < bytes; i += step) {
            FloatVector s = FloatVector.fromMemorySegment(FLOATS, ALL, (x0 + i) & ADDRESS, ORDER);
            FloatVector t = FloatVector.fromMemorySegment(FLOATS, ALL, (x1 + i) & ADDRESS, ORDER);
            FloatVector u = FloatVector.fromMemorySegment(FLOATS, ALL, (x2 + i) & ADDRESS, ORDER);
            FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, (x3 + i) & ADDRESS, ORDER);
            FloatVector row = FloatVector.fromMemorySegment(FLOATS, ALL, (w0 + i) & ADDRESS, ORDER);
            a0 = row.fma(s, a0);
            b0 = row.fma(t, b0);
            c0 = row.fma(u, c0);
            d0 = row.fma(v, d0);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w1 + i) & ADDRESS, ORDER);
            a1 = row.fma(s, a1);
            b1 = row.fma(t, b1);
            c1 = row.fma(u, c1);
            d1 = row.fma(v, d1);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w2 + i) & ADDRESS, ORDER);
            a2 = row.fma(s, a2);
            b2 = row.fma(t, b2);
            c2 = row.fma(u, c2);
            d2 = row.fma(v, d2);
            row = FloatVector.fromMemorySegment(FLOATS, ALL, (w3 + i) & ADDRESS, ORDER);
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
