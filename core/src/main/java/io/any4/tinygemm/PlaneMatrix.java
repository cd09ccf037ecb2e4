package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorSpecies;

/// A table weight for 128-bit and 256-bit vectors (NEON, AVX2), whose only fast lookup is a shuffle of 16 bytes.
///
/// The table is kept as planes of bytes. Two shuffles look up 16 entries of 16 bits, which are widened to floats in
/// registers; entries that fit no such type take two more. A load of 16 bytes of codes is a block, whatever the width.
abstract class PlaneMatrix extends FusedMatrix {
    static final VectorSpecies<Byte> CODES = ByteVector.SPECIES_128;
    static final int BLOCK_BYTES = 16;
    static final long VECTOR_BYTES = 4L * LANES;
    /// Bytes of a token's floats that a block of four-bit codes meets.
    static final long BLOCK_VECTOR_BYTES = 4L * 2 * BLOCK_BYTES;

    private static final int TABLE = 16;

    /// Bits per code.
    final int bits;
    /// What the two upper planes hold, and whether there are two lower ones.
    final Entries entries;

    private final byte[] planes;
    private final int planeStride;

    PlaneMatrix(LutWeight weight, Tensor codes, int bits, Team team) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                new float[0],
                new Arrangement(weight.columns(), span(bits), weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES,
                team);
        this.bits = bits;
        float[] tables = LutTables.repeated(weight, TABLE);
        entries = Entries.of(tables);
        planes = LutTables.planes(entries == Entries.F16 ? LutTables.asF16(tables) : tables, TABLE);
        planeStride = weight.lut().rows() == 1 ? 0 : 4 * TABLE;
    }

    /// How table entries are kept.
    enum Entries {
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

    static boolean fits(LutWeight weight, int bits) {
        return LANES < TABLE && Arrangement.fits(weight.columns(), span(bits), weight.groupSize());
    }

    static PlaneMatrix of(LutWeight weight, Tensor codes, int bits, Team team) {
        return LANES == 8
                ? new Plane256Matrix(weight, codes, bits, team)
                : new Plane128Matrix(weight, codes, bits, team);
    }

    /// Columns that a lane of a block's vectors covers.
    private static int span(int bits) {
        return 8 * BLOCK_BYTES / bits / LANES;
    }

    /// The bytes of a row's table entries, 0 being the lowest.
    final ByteVector plane(int row, int index) {
        return ByteVector.fromArray(CODES, planes, row * planeStride + index * TABLE);
    }

    /// Only codes of four bits with entries of 16 bits have a fused product: others are rare.
    @Override
    void product(long x, float[] y, int from, int to) {
        if (bits == 4 && entries != Entries.F32) {
            super.product(x, y, from, to);
        } else {
            Gemm.multiply(this, x, 1, y, from, to);
        }
    }

    /// Two rows at a time fill sixteen registers.
    @Override
    void addBlocks(long x, float[] sums, int r, int stride, int last) {
        int r1 = Math.min(r + stride, last);
        int r2 = Math.min(r + 2 * stride, last);
        int r3 = Math.min(r + 3 * stride, last);
        if (entries == Entries.BF16) {
            addBf16(x, sums, r, r1, 0);
            addBf16(x, sums, r2, r3, 2 * LANES);
        } else {
            addF16(x, sums, r, r1, 0);
            addF16(x, sums, r2, r3, 2 * LANES);
        }
    }

    /// Adds blocks of two rows to their sums, next to each other at `scratch[sums ..]`, vector after vector in the
    /// order
    /// of arranged columns.
    abstract void addBf16(long x, float[] sums, int r0, int r1, int at);

    /// The same with entries of F16.
    abstract void addF16(long x, float[] sums, int r0, int r1, int at);
}
