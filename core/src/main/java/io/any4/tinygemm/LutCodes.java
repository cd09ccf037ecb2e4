package io.any4.tinygemm;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;

/// Codes in the number of bits that kernels can unpack.
final class LutCodes {
    private static final int ROWS_AT_ONCE = 16;

    private LutCodes() {}

    /// Bits per code of [#unpackable]: three bits do not divide a lane and become four.
    static int bits(LutWeight weight) {
        return weight.bits() == 3 ? 4 : weight.bits();
    }

    /// The codes in [#bits] bits each: the weight's own, where they lie, or a copy made once.
    static Tensor unpackable(LutWeight weight, Team team) {
        if (weight.bits() == bits(weight)) {
            return weight.codes();
        }
        int bits = bits(weight);
        int rows = weight.rows();
        Tensor copy = Tensor.allocate(Arena.ofAuto(), DType.U8, rows, BitPacking.rowBytes(weight.columns(), bits));
        team.run(rows, ROWS_AT_ONCE, (from, to) -> {
            byte[] codes = new byte[weight.columns()];
            for (int row = from; row < to; row++) {
                BitPacking.unpackRow(weight.codes(), row, weight.bits(), codes);
                BitPacking.packRow(codes, bits, copy, row);
            }
        });
        return copy;
    }
}
