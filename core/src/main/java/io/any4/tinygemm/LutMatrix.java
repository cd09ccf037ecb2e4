package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/// A table weight for 512-bit vectors, where a row's whole table is one register and a lookup is one permutation.
///
/// The permutation looks at the low four bits of a lane only: the next codes come down by a shift, and nothing needs
/// masking. Tables with fewer than 16 entries are repeated, so that the bits above a short code do not matter.
abstract class LutMatrix extends FusedMatrix {
    static final int BLOCK_BYTES = 64;
    private static final int TABLE = 16;

    final float[] tables;
    private final int tableStride;

    /// @param codes the weight's codes, in `bits` bits each
    LutMatrix(LutWeight weight, Tensor codes, int bits) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                new Arrangement(weight.columns(), 32 / bits, weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES);
        tables = LutTables.repeated(weight, TABLE);
        tableStride = weight.lut().rows() == 1 ? 0 : TABLE;
    }

    /// Whether this process has vectors of 512 bits and the group size fits codes of so many bits.
    static boolean fits(LutWeight weight, int bits) {
        return LANES == TABLE && Arrangement.fits(weight.columns(), 32 / bits, weight.groupSize());
    }

    /// Where a row's table starts in [#tables].
    final int tableAt(int row) {
        return row * tableStride;
    }

    final FloatVector table(int row) {
        return FloatVector.fromArray(FLOATS, tables, tableAt(row));
    }
}
