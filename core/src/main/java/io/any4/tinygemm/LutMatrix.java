package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A table weight whose tables are floats in one or two registers, so that a lookup is a permutation.
///
/// The permutation looks at as many low bits of a lane as it has lanes to choose from: the next codes come down by a
/// shift, and nothing needs masking. Tables with fewer than 16 entries are repeated, so that the bits above a short
/// code do not matter.
abstract class LutMatrix extends GroupedMatrix {
    /// A block of codes is a vector.
    static final int BLOCK_BYTES = 4 * LANES;

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
        shared = weight.lut().rows() == 1 ? Scratch.aligned(TABLE) : null;
        sharedAddress = shared == null ? 0 : shared.address();
        if (shared != null) {
            MemorySegment.copy(tables, 0, shared, Tensor.FLOAT, 0, TABLE);
        }
    }

    /// Whether the group size fits codes of so many bits.
    static boolean fits(LutWeight weight, int bits) {
        return Arrangement.fits(weight.columns(), 32 / bits, weight.groupSize());
    }

    /// The address of a row's table.
    final long table(int row) {
        return shared == null ? packed.table(row) : sharedAddress;
    }
}
