package io.any4.machine;

import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VPERM2I128;
import static io.any4.machine.Instruction.VPUNPCKHDQ;
import static io.any4.machine.Instruction.VPUNPCKHQDQ;
import static io.any4.machine.Instruction.VPUNPCKLDQ;
import static io.any4.machine.Instruction.VPUNPCKLQDQ;
import static io.any4.machine.Instruction.VSHUFI32X4;

/// Turns squares of 32-bit lanes, a row in each register from 0 on, so that rows become columns.
final class Squares {
    private static final int ZMM = 64;
    private static final int YMM = 32;
    /// Of either operand, the lanes 0 and 2 of four.
    private static final int EVEN = 0x88;
    /// The lanes 1 and 3.
    private static final int ODD = 0xdd;
    /// The lower halves of both operands, and the upper ones.
    private static final int LOWER_HALVES = 0x20;

    private static final int UPPER_HALVES = 0x31;

    private Squares() {}

    /// A square of eight, with eight free registers from `free` on.
    static void turn8(Assembler code, int free) {
        turnFours(code, YMM, free);
        for (int r = 0; r < 8; r++) {
            code.vector(VMOVUPS, YMM, free + r, r);
        }
        for (int k = 0; k < 4; k++) {
            code.vector(VPERM2I128, YMM, k, free + k, free + 4 + k, LOWER_HALVES);
            code.vector(VPERM2I128, YMM, 4 + k, free + k, free + 4 + k, UPPER_HALVES);
        }
    }

    /// A square of sixteen, with sixteen free registers from `free` on.
    static void turn16(Assembler code, int free) {
        turnFours(code, ZMM, free);
        for (int k = 0; k < 4; k++) {
            for (int eight = 0; eight < 16; eight += 8) {
                code.vector(VSHUFI32X4, ZMM, free + eight + k, eight + k, eight + 4 + k, EVEN);
                code.vector(VSHUFI32X4, ZMM, free + eight + 4 + k, eight + k, eight + 4 + k, ODD);
            }
        }
        for (int k = 0; k < 4; k++) {
            code.vector(VSHUFI32X4, ZMM, k, free + k, free + 8 + k, EVEN);
            code.vector(VSHUFI32X4, ZMM, 8 + k, free + k, free + 8 + k, ODD);
            code.vector(VSHUFI32X4, ZMM, 4 + k, free + 4 + k, free + 12 + k, EVEN);
            code.vector(VSHUFI32X4, ZMM, 12 + k, free + 4 + k, free + 12 + k, ODD);
        }
    }

    /// Turns squares of four within each four rows: register `4 i + k` then has, in four lanes `L` of 128 bits,
    /// column `4 L + k` of the rows `4 i` to `4 i + 3`.
    private static void turnFours(Assembler code, int bytes, int free) {
        for (int r = 0; r < bytes / 4; r += 4) {
            turnFour(code, bytes, r, free + r);
        }
    }

    /// The same for the four rows from register `first` on, with four free registers from `free` on.
    static void turnFour(Assembler code, int bytes, int first, int free) {
        for (int r = 0; r < 4; r += 2) {
            code.vector(VPUNPCKLDQ, bytes, free + r, first + r, first + r + 1);
            code.vector(VPUNPCKHDQ, bytes, free + r + 1, first + r, first + r + 1);
        }
        for (int half = 0; half < 2; half++) {
            code.vector(VPUNPCKLQDQ, bytes, first + 2 * half, free + half, free + 2 + half);
            code.vector(VPUNPCKHQDQ, bytes, first + 2 * half + 1, free + half, free + 2 + half);
        }
    }
}
