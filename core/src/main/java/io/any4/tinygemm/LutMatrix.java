package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A table weight for 512-bit vectors, where a row's whole table is one register and a lookup is one permutation.
///
/// The permutation looks at the low four bits of a lane only: the next codes come down by a shift, and nothing needs
/// masking. Tables with fewer than 16 entries are repeated, so that the bits above a short code do not matter.
abstract class LutMatrix extends FusedMatrix {
    static final int BLOCK_BYTES = 64;
    private static final int TABLE = 16;

    /// The table that all rows share, if they do.
    private final @Nullable MemorySegment shared;
    private final long sharedAddress;

    /// @param codes the weight's codes, in `bits` bits each
    LutMatrix(LutWeight weight, Tensor codes, int bits, Team team) {
        this(weight, codes, bits, team, LutTables.repeated(weight, TABLE));
    }

    private LutMatrix(LutWeight weight, Tensor codes, int bits, Team team, float[] tables) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                weight.lut().rows() == 1 ? new float[0] : tables,
                new Arrangement(weight.columns(), 32 / bits, weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES,
                team);
        shared = weight.lut().rows() == 1 ? Arena.ofAuto().allocateFrom(Tensor.FLOAT, tables) : null;
        sharedAddress = shared == null ? 0 : shared.address();
    }

    /// Whether this process has vectors of 512 bits and the group size fits codes of so many bits.
    static boolean fits(LutWeight weight, int bits) {
        return LANES == TABLE && Arrangement.fits(weight.columns(), 32 / bits, weight.groupSize());
    }

    /// The address of a row's table.
    final long table(int row) {
        return shared == null ? packed.table(row) : sharedAddress;
    }
}
