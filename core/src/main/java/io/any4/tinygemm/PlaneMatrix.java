package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.F16_BIAS;
import static io.any4.tinygemm.Simd.F16_BITS;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// A table weight with four bits per code for 128-bit vectors (NEON), whose only fast lookup is a shuffle of 16 bytes.
///
/// The table is kept as planes of bytes. Two shuffles look up 16 entries of 16 bits, which are widened to floats in
/// registers; entries that fit no such type take two more. Bytes pair up to shorts where they are, even ones and odd
/// ones apart.
final class PlaneMatrix extends GroupedMatrix {
    private static final VectorSpecies<Byte> CODES = ByteVector.SPECIES_128;
    private static final int BITS = 4;
    /// Columns that a lane of a block covers.
    private static final int SPAN = 32 / BITS;

    private static final int BLOCK_BYTES = 16;
    /// Bytes of a token's floats that a block meets.
    private static final long BLOCK_VECTOR_BYTES = 4L * 2 * BLOCK_BYTES;

    private static final int TABLE = 16;

    /// What the two upper planes hold, and whether there are two lower ones.
    private final Entries entries;

    private final byte[] planes;
    private final int planeStride;

    PlaneMatrix(LutWeight weight, Tensor codes, Team team) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                new float[0],
                new Arrangement(weight.columns(), SPAN, weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES,
                team);
        float[] tables = LutTables.repeated(weight, TABLE);
        entries = Entries.of(tables);
        planes = LutTables.planes(entries == Entries.F16 ? LutTables.asF16(tables) : tables, TABLE);
        planeStride = weight.lut().rows() == 1 ? 0 : 4 * TABLE;
    }

    /// How table entries are kept.
    private enum Entries {
        /// Two planes: the upper halves of floats whose lower halves are zero.
        BF16,
        /// Two planes: F16 numbers, none of them too small to be normal.
        F16,
        /// Four planes.
        F32;

        static Entries of(float[] tables) {
            if (LutTables.fitBf16(tables)) {
                return BF16;
            }
            return LutTables.fitF16(tables) ? F16 : F32;
        }
    }

    /// The bytes of a row's table entries, 0 being the lowest.
    private ByteVector plane(int row, int index) {
        return ByteVector.fromArray(CODES, planes, row * planeStride + index * TABLE);
    }

    /// Only entries of 16 bits have a fused product: others are rare.
    @Override
    void product(long x, float[] y, int from, int to) {
        if (entries != Entries.F32) {
            super.product(x, y, from, to);
        } else {
            Gemm.multiply(this, x, 1, y, from, to);
        }
    }

    /// Two rows at a time fill sixteen registers.
    @Override
    void addBlocks(long x, long sums, int r, int stride, int last) {
        int r1 = Math.min(r + stride, last);
        int r2 = Math.min(r + 2 * stride, last);
        int r3 = Math.min(r + 3 * stride, last);
        if (entries == Entries.BF16) {
            addBf16(x, sums, r, r1);
            addBf16(x, sums + 2 * VECTOR_BYTES, r2, r3);
        } else {
            addF16(x, sums, r, r1);
            addF16(x, sums + 2 * VECTOR_BYTES, r2, r3);
        }
    }

    @Override
    void decodeCodes(int row, long out, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        long in = packed.codes(row);
        int blocks = arrangement.blocks;
        int codesPerByte = 8 / BITS;
        long step = (long) codesPerByte * VECTOR_BYTES;
        long to = out;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, b * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (in + (long) b * BLOCK_BYTES) & ADDRESS, ORDER);
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                ByteVector high = index.selectFrom(p3);
                ByteVector low = index.selectFrom(p2);
                IntVector even = even(high, low);
                IntVector odd = odd(high, low);
                if (entries == Entries.F16) {
                    Simd.lowF16(even).mul(scale).intoMemorySegment(ALL, to & ADDRESS, ORDER);
                    Simd.lowF16(odd).mul(scale).intoMemorySegment(ALL, (to + step) & ADDRESS, ORDER);
                    Simd.highF16(even).mul(scale).intoMemorySegment(ALL, (to + 2 * step) & ADDRESS, ORDER);
                    Simd.highF16(odd).mul(scale).intoMemorySegment(ALL, (to + 3 * step) & ADDRESS, ORDER);
                    c = c.reinterpretAsInts().lanewise(LSHR, BITS).reinterpretAsBytes();
                    to += VECTOR_BYTES;
                    continue;
                }
                IntVector w0 = even.lanewise(LSHL, 16);
                IntVector w1 = odd.lanewise(LSHL, 16);
                IntVector w2 = even.and(0xffff0000);
                IntVector w3 = odd.and(0xffff0000);
                if (entries == Entries.F32) {
                    ByteVector lower = index.selectFrom(plane(row, 1));
                    ByteVector lowest = index.selectFrom(plane(row, 0));
                    IntVector lowerEven = even(lower, lowest);
                    IntVector lowerOdd = odd(lower, lowest);
                    w0 = w0.or(lowerEven.and(0xffff));
                    w1 = w1.or(lowerOdd.and(0xffff));
                    w2 = w2.or(lowerEven.lanewise(LSHR, 16));
                    w3 = w3.or(lowerOdd.lanewise(LSHR, 16));
                }
                w0.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, to & ADDRESS, ORDER);
                w1.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, (to + step) & ADDRESS, ORDER);
                w2.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, (to + 2 * step) & ADDRESS, ORDER);
                w3.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, (to + 3 * step) & ADDRESS, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, BITS).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
            to += 3 * step;
        }
    }

    /// Adds the blocks of two rows to their sums, next to each other at address `sums`, vector after vector in the
    /// order of arranged columns.
    private void addBf16(long x, long sums, int r0, int r1) {
        ByteVector p0 = plane(r0, 2);
        ByteVector q0 = plane(r0, 3);
        ByteVector p1 = plane(r1, 2);
        ByteVector q1 = plane(r1, 3);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.codes(r0);
        long w1 = packed.codes(r1);
        int blocks = arrangement.blocks;
        IntVector lanes = arrangement.laneScales();
        long scaleBytes = 4L * arrangement.scalesPerBlock();
        long s0 = packed.scales(r0);
        long s1 = packed.scales(r1);
        long v = x;
        for (int block = 0; block < blocks; block++) {
            long u = (v + block * BLOCK_VECTOR_BYTES) & ADDRESS;
            FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, u, ORDER);
            FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, u + VECTOR_BYTES, ORDER);
            FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 2 * VECTOR_BYTES, ORDER);
            FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 3 * VECTOR_BYTES, ORDER);
            FloatVector x4 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 4 * VECTOR_BYTES, ORDER);
            FloatVector x5 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 5 * VECTOR_BYTES, ORDER);
            FloatVector x6 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 6 * VECTOR_BYTES, ORDER);
            FloatVector x7 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 7 * VECTOR_BYTES, ORDER);
            FloatVector scale = lanes.selectFrom(
                            IntVector.fromMemorySegment(INTS, ALL, (s0 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (w0 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            ShortVector high = c.selectFrom(q0).reinterpretAsShorts();
            ShortVector low = c.selectFrom(p0).reinterpretAsShorts();
            IntVector even = high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            IntVector odd = low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = c.selectFrom(q0).reinterpretAsShorts();
            low = c.selectFrom(p0).reinterpretAsShorts();
            IntVector nextEven =
                    high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            IntVector nextOdd =
                    low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            a0 = even.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x0, a0);
            a0 = nextEven.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x1, a0);
            a0 = odd.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x2, a0);
            a0 = nextOdd.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x3, a0);
            a0 = even.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x4, a0);
            a0 = nextEven.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x5, a0);
            a0 = odd.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x6, a0);
            a0 = nextOdd.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x7, a0);
            scale = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, (s1 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            c = ByteVector.fromMemorySegment(CODES, ALL, (w1 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            high = c.selectFrom(q1).reinterpretAsShorts();
            low = c.selectFrom(p1).reinterpretAsShorts();
            even = high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            odd = low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = c.selectFrom(q1).reinterpretAsShorts();
            low = c.selectFrom(p1).reinterpretAsShorts();
            nextEven = high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            nextOdd = low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            a1 = even.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x0, a1);
            a1 = nextEven.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x1, a1);
            a1 = odd.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x2, a1);
            a1 = nextOdd.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x3, a1);
            a1 = even.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x4, a1);
            a1 = nextEven.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x5, a1);
            a1 = odd.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x6, a1);
            a1 = nextOdd.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x7, a1);
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
    }

    /// The same with entries of F16.
    private void addF16(long x, long sums, int r0, int r1) {
        ByteVector p0 = plane(r0, 2);
        ByteVector q0 = plane(r0, 3);
        ByteVector p1 = plane(r1, 2);
        ByteVector q1 = plane(r1, 3);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.codes(r0);
        long w1 = packed.codes(r1);
        int blocks = arrangement.blocks;
        IntVector lanes = arrangement.laneScales();
        long scaleBytes = 4L * arrangement.scalesPerBlock();
        long s0 = packed.scales(r0);
        long s1 = packed.scales(r1);
        long v = x;
        for (int block = 0; block < blocks; block++) {
            long u = (v + block * BLOCK_VECTOR_BYTES) & ADDRESS;
            FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, u, ORDER);
            FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, u + VECTOR_BYTES, ORDER);
            FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 2 * VECTOR_BYTES, ORDER);
            FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 3 * VECTOR_BYTES, ORDER);
            FloatVector x4 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 4 * VECTOR_BYTES, ORDER);
            FloatVector x5 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 5 * VECTOR_BYTES, ORDER);
            FloatVector x6 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 6 * VECTOR_BYTES, ORDER);
            FloatVector x7 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 7 * VECTOR_BYTES, ORDER);
            FloatVector scale = lanes.selectFrom(
                            IntVector.fromMemorySegment(INTS, ALL, (s0 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (w0 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            ShortVector high = c.selectFrom(q0).reinterpretAsShorts();
            ShortVector low = c.selectFrom(p0).reinterpretAsShorts();
            IntVector even = high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            IntVector odd = low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = c.selectFrom(q0).reinterpretAsShorts();
            low = c.selectFrom(p0).reinterpretAsShorts();
            IntVector nextEven =
                    high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            IntVector nextOdd =
                    low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            a0 = even.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x0, a0);
            a0 = nextEven.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x1, a0);
            a0 = odd.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x2, a0);
            a0 = nextOdd.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x3, a0);
            a0 = even.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x4, a0);
            a0 = nextEven.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x5, a0);
            a0 = odd.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x6, a0);
            a0 = nextOdd.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x7, a0);
            scale = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, (s1 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            c = ByteVector.fromMemorySegment(CODES, ALL, (w1 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            high = c.selectFrom(q1).reinterpretAsShorts();
            low = c.selectFrom(p1).reinterpretAsShorts();
            even = high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            odd = low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = c.selectFrom(q1).reinterpretAsShorts();
            low = c.selectFrom(p1).reinterpretAsShorts();
            nextEven = high.lanewise(LSHL, 8).or(low.and((short) 0xff)).reinterpretAsInts();
            nextOdd = low.lanewise(LSHR, 8).or(high.and((short) 0xff00)).reinterpretAsInts();
            a1 = even.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x0, a1);
            a1 = nextEven.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x1, a1);
            a1 = odd.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x2, a1);
            a1 = nextOdd.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x3, a1);
            a1 = even.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x4, a1);
            a1 = nextEven.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x5, a1);
            a1 = odd.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x6, a1);
            a1 = nextOdd.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x7, a1);
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
    }

    /// Sixteen-bit halves of the entries with an even index, two to a lane.
    private static IntVector even(ByteVector high, ByteVector low) {
        ShortVector upper = high.reinterpretAsShorts().lanewise(LSHL, 8);
        return upper.or(low.reinterpretAsShorts().and((short) 0xff)).reinterpretAsInts();
    }

    /// The same of the entries with an odd index.
    private static IntVector odd(ByteVector high, ByteVector low) {
        ShortVector lower = low.reinterpretAsShorts().lanewise(LSHR, 8);
        return lower.or(high.reinterpretAsShorts().and((short) 0xff00)).reinterpretAsInts();
    }
}
