package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.SHORTS;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// A table weight for 128-bit and 256-bit vectors (NEON, AVX2), whose only fast lookup is a shuffle of 16 bytes.
///
/// The table is kept as planes of bytes, one for each byte of a float; two shuffles look up the upper halves of 16
/// entries, which is all there is when the entries are bf16 numbers, and two more the lower halves.
final class PlaneMatrix extends GroupedMatrix {
    private static final VectorSpecies<Byte> CODES = ByteVector.SPECIES_128;
    private static final int TABLE = 16;
    private static final int LOAD = 16;

    private final byte[] planes;
    private final int planeStride;
    private final boolean bf16;
    private final int bits;

    PlaneMatrix(LutWeight weight, Tensor codes, int bits) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                new Arrangement(weight.columns(), span(bits), weight.groupSize(), weight.zero() != null),
                LOAD);
        this.bits = bits;
        float[] tables = LutTables.repeated(weight, TABLE);
        planes = LutTables.planes(tables, TABLE);
        planeStride = weight.lut().rows() == 1 ? 0 : 4 * TABLE;
        bf16 = LutTables.fitBf16(tables);
    }

    static boolean fits(LutWeight weight, int bits) {
        return LANES < TABLE && Arrangement.fits(weight.columns(), span(bits), weight.groupSize());
    }

    /// Sixteen bytes of codes fill a block.
    private static int span(int bits) {
        return 8 * LOAD / bits / LANES;
    }

    @Override
    void decodeCodes(int row, float[] panel, int at, int scales) {
        int table = row * planeStride;
        ByteVector p0 = ByteVector.fromArray(CODES, planes, table);
        ByteVector p1 = ByteVector.fromArray(CODES, planes, table + TABLE);
        ByteVector p2 = ByteVector.fromArray(CODES, planes, table + 2 * TABLE);
        ByteVector p3 = ByteVector.fromArray(CODES, planes, table + 3 * TABLE);
        int codesPerByte = 8 / bits;
        for (int b = 0; b < arrangement.blocks; b++) {
            FloatVector scale = arrangement.scale(panel, scales, b);
            IntVector packed = load(row * rowBytes, b).reinterpretAsInts();
            int to = at + b * arrangement.block;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = packed.lanewise(VectorOperators.LSHR, n * bits)
                        .reinterpretAsBytes()
                        .and((byte) 15);
                ByteVector high = index.selectFrom(p3);
                ByteVector middle = index.selectFrom(p2);
                if (bf16) {
                    spread(high, middle, scale, panel, to + n * LANES, codesPerByte * LANES);
                } else {
                    ByteVector low = index.selectFrom(p1);
                    ByteVector lowest = index.selectFrom(p0);
                    spread(high, middle, low, lowest, scale, panel, to + n * LANES, codesPerByte * LANES);
                }
            }
        }
    }

    private ByteVector load(long start, int block) {
        long at = start + (long) LOAD * block;
        if (block < full) {
            return ByteVector.fromMemorySegment(CODES, codes, at, ORDER);
        }
        int left = (int) (start + rowBytes - at);
        return ByteVector.fromMemorySegment(CODES, codes, at, ORDER, CODES.indexInRange(0, left));
    }

    /// Sixteen bf16 entries, given as bytes: column `n` of a lane goes to `at + n * stride`.
    private static void spread(
            ByteVector high, ByteVector middle, FloatVector scale, float[] panel, int at, int stride) {
        if (LANES == 8) {
            IntVector upper = wide(high, middle);
            put(upper.lanewise(VectorOperators.LSHL, 16), scale, panel, at);
            put(upper.and(0xffff0000), scale, panel, at + stride);
        } else {
            IntVector even = even(high, middle);
            IntVector odd = odd(high, middle);
            put(even.lanewise(VectorOperators.LSHL, 16), scale, panel, at);
            put(odd.lanewise(VectorOperators.LSHL, 16), scale, panel, at + stride);
            put(even.and(0xffff0000), scale, panel, at + 2 * stride);
            put(odd.and(0xffff0000), scale, panel, at + 3 * stride);
        }
    }

    /// Sixteen float entries.
    private static void spread(
            ByteVector high,
            ByteVector middle,
            ByteVector low,
            ByteVector lowest,
            FloatVector scale,
            float[] panel,
            int at,
            int stride) {
        if (LANES == 8) {
            IntVector upper = wide(high, middle);
            IntVector lower = wide(low, lowest);
            put(firstHalves(upper, lower), scale, panel, at);
            put(secondHalves(upper, lower), scale, panel, at + stride);
        } else {
            IntVector even = even(high, middle);
            IntVector odd = odd(high, middle);
            IntVector lowerEven = even(low, lowest);
            IntVector lowerOdd = odd(low, lowest);
            put(firstHalves(even, lowerEven), scale, panel, at);
            put(firstHalves(odd, lowerOdd), scale, panel, at + stride);
            put(secondHalves(even, lowerEven), scale, panel, at + 2 * stride);
            put(secondHalves(odd, lowerOdd), scale, panel, at + 3 * stride);
        }
    }

    private static IntVector firstHalves(IntVector upper, IntVector lower) {
        return upper.lanewise(VectorOperators.LSHL, 16).or(lower.and(0xffff));
    }

    private static IntVector secondHalves(IntVector upper, IntVector lower) {
        return upper.and(0xffff0000).or(lower.lanewise(VectorOperators.LSHR, 16));
    }

    /// Sixteen-bit halves of 16 entries in order, two to a lane, in 256 bits.
    private static IntVector wide(ByteVector high, ByteVector low) {
        ShortVector upper = (ShortVector) high.convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0);
        ShortVector lower = (ShortVector) low.convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0);
        return upper.lanewise(VectorOperators.LSHL, 8).or(lower).reinterpretAsInts();
    }

    /// Sixteen-bit halves of the entries with an even index, two to a lane, in 128 bits.
    private static IntVector even(ByteVector high, ByteVector low) {
        ShortVector upper = high.reinterpretAsShorts().lanewise(VectorOperators.LSHL, 8);
        return upper.or(low.reinterpretAsShorts().and((short) 0xff)).reinterpretAsInts();
    }

    /// The same of the entries with an odd index.
    private static IntVector odd(ByteVector high, ByteVector low) {
        ShortVector lower = low.reinterpretAsShorts().lanewise(VectorOperators.LSHR, 8);
        return lower.or(high.reinterpretAsShorts().and((short) 0xff00)).reinterpretAsInts();
    }

    private static void put(IntVector bits, FloatVector scale, float[] panel, int at) {
        bits.reinterpretAsFloats().mul(scale).intoArray(panel, at);
    }
}
