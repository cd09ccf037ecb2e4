package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorSpecies;

/// A table weight for 128-bit and 256-bit vectors (NEON, AVX2), whose only fast lookup is a shuffle of 16 bytes.
///
/// The table is kept as planes of bytes, one for each byte of a float; two shuffles look up the upper halves of 16
/// entries, which is all there is when the entries are bf16 numbers, and two more the lower halves. A load of 16 bytes
/// of codes is a block, whatever the width.
abstract class PlaneMatrix extends GroupedMatrix {
    static final VectorSpecies<Byte> CODES = ByteVector.SPECIES_128;
    static final int BLOCK_BYTES = 16;
    static final long VECTOR_BYTES = 4L * LANES;
    private static final int TABLE = 16;

    /// Bits per code.
    final int bits;
    /// Whether the lower halves of all table entries are zero.
    final boolean bf16;

    private final byte[] planes;
    private final int planeStride;

    PlaneMatrix(LutWeight weight, Tensor codes, int bits) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                new Arrangement(weight.columns(), span(bits), weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES);
        this.bits = bits;
        float[] tables = LutTables.repeated(weight, TABLE);
        planes = LutTables.planes(tables, TABLE);
        planeStride = weight.lut().rows() == 1 ? 0 : 4 * TABLE;
        bf16 = LutTables.fitBf16(tables);
    }

    static boolean fits(LutWeight weight, int bits) {
        return LANES < TABLE && Arrangement.fits(weight.columns(), span(bits), weight.groupSize());
    }

    static PlaneMatrix of(LutWeight weight, Tensor codes, int bits) {
        return LANES == 8 ? new Plane256Matrix(weight, codes, bits) : new Plane128Matrix(weight, codes, bits);
    }

    /// Columns that a lane of a block's vectors covers.
    private static int span(int bits) {
        return 8 * BLOCK_BYTES / bits / LANES;
    }

    /// The bytes of a row's table entries, 0 being the lowest.
    final ByteVector plane(int row, int index) {
        return ByteVector.fromArray(CODES, planes, row * planeStride + index * TABLE);
    }
}
