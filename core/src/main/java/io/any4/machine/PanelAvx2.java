package io.any4.machine;

import static io.any4.machine.Instruction.VBROADCASTI128;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VPACKUSWB;
import static io.any4.machine.Instruction.VPAND;
import static io.any4.machine.Instruction.VPCMPEQW;
import static io.any4.machine.Instruction.VPSHUFB;
import static io.any4.machine.Instruction.VPUNPCKHBW;
import static io.any4.machine.Instruction.VPUNPCKLBW;

/// Eight rows in the lower half of the registers, with the upper half for what is between.
final class PanelAvx2 extends PanelProgram {
    private static final int YMM = 32;
    private static final int UPPER = 8;
    private static final int LOWER_BYTES = 9;
    private static final int UPPER_BYTES = 10;
    private static final int MASK = 15;

    PanelAvx2(RowShape shape, Isa isa) {
        super(shape, isa);
    }

    @Override
    void lookUp(int r, int vector) {
        int bytes = isa.bytes;
        int perByte = 8 / shape.bits();
        int half = vector / (2 * perByte);
        int codeOfByte = vector / 2 % perByte;
        if (r == 0) {
            mask(code, MASK); // turning the square before has overwritten it
        }
        code.vector(VMOVUPS, bytes, UPPER, codes(r, half * bytes));
        if (codeOfByte > 0) {
            code.shiftRight16(bytes, UPPER, UPPER, codeOfByte * shape.bits());
        }
        code.vector(VPAND, bytes, UPPER, UPPER, MASK);
        code.vector(VBROADCASTI128, bytes, LOWER_BYTES, table(r, 0));
        code.vector(VBROADCASTI128, bytes, UPPER_BYTES, table(r, 16));
        code.vector(VPSHUFB, bytes, LOWER_BYTES, LOWER_BYTES, UPPER);
        code.vector(VPSHUFB, bytes, UPPER_BYTES, UPPER_BYTES, UPPER);
        code.vector(vector % 2 == 0 ? VPUNPCKLBW : VPUNPCKHBW, bytes, r, LOWER_BYTES, UPPER_BYTES);
    }

    /// Sets every byte to 15: words of ones, shifted to four ones, packed.
    static void mask(Assembler code, int register) {
        code.vector(VPCMPEQW, YMM, register, register, register);
        code.shiftRight16(YMM, register, register, 12);
        code.vector(VPACKUSWB, YMM, register, register, register);
    }

    @Override
    void turn() {
        Squares.turn8(code, UPPER);
    }
}
