package io.any4.machine;

import static io.any4.machine.Instruction.VBROADCASTI64X4;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VPERMW;

/// Sixteen rows in the lower half of the registers, with the upper half for what is between.
final class PanelAvx512 extends PanelProgram {
    private static final int UPPER = 16;

    PanelAvx512(RowShape shape) {
        super(shape, Isa.AVX512_VNNI);
    }

    @Override
    void lookUp(int r, int vector) {
        int bytes = isa.bytes;
        code.vector(VMOVUPS, bytes, UPPER, codes(r, 0));
        if (vector > 0) {
            code.shiftRight16(bytes, UPPER, UPPER, vector * shape.bits());
        }
        code.vector(VBROADCASTI64X4, bytes, UPPER + 1, table(r, 0));
        code.vector(VPERMW, bytes, r, UPPER, UPPER + 1);
    }

    @Override
    void turn() {
        Squares.turn16(code, UPPER);
    }
}
