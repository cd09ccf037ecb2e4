package io.any4.machine;

import static io.any4.machine.Assembler.R10;
import static io.any4.machine.Assembler.RAX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Instruction.VBROADCASTI64X4;
import static io.any4.machine.Instruction.VEXTRACTI64X4;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VPADDD;
import static io.any4.machine.Instruction.VPDPWSSD;
import static io.any4.machine.Instruction.VPERMW;

/// A vector of 32 codes costs a permutation, a product for each token and a shift.
///
/// Results are registers 0 to 3, temporary values 4 to 7, codes 8 to 11, tables 12 to 15 and sums from 16 on.
final class DecodeAvx512 extends DecodeProgram {
    private static final int ZMM = 64;
    private static final int YMM = 32;
    private static final int TEMPORARY = 4;
    private static final int CODES = 8;
    private static final int TABLES = 12;
    private static final int SUMS = 16;

    DecodeAvx512(RowShape shape, int tokens) {
        super(shape, Isa.AVX512_VNNI, tokens);
    }

    @Override
    int sums(int row, int token) {
        return SUMS + ROWS * token + row;
    }

    /// A permutation looks at five bits, of which the fifth belongs to the next code: so a table lies in its
    /// register twice.
    @Override
    void openRows() {
        for (int i = 0; i < ROWS; i++) {
            code.vector(VBROADCASTI64X4, ZMM, TABLES + i, row(RDI, i, 0));
        }
    }

    @Override
    void block() {
        for (int i = 0; i < ROWS; i++) {
            code.vector(VMOVUPS, ZMM, CODES + i, row(R10, i, 0));
            for (int t = 0; t < tokens; t++) {
                code.clear(ZMM, sums(i, t));
            }
        }
        int steps = isa.vectors(shape);
        for (int step = 0; step < steps; step++) {
            for (int i = 0; i < ROWS; i++) {
                code.vector(VPERMW, ZMM, TEMPORARY + i, CODES + i, TABLES + i);
                for (int t = 0; t < tokens; t++) {
                    code.vector(VPDPWSSD, ZMM, sums(i, t), TEMPORARY + i, token(RAX, t, ZMM * step));
                }
                if (step + 1 < steps) {
                    code.shiftRight16(ZMM, CODES + i, CODES + i, shape.bits());
                }
            }
        }
        for (int t = 0; t < tokens; t++) {
            bringTogether(t);
            addEntries(t);
        }
    }

    /// Each four lanes are a quarter of the block.
    private void addEntries(int token) {
        int lower = TEMPORARY;
        int upper = TEMPORARY + 1;
        code.vector(VEXTRACTI64X4, ZMM, lower, 0, upper, 1);
        switch (shape.entriesPerBlock()) {
            case 1 -> {
                code.vector(VPADDD, YMM, lower, lower, upper);
                fold(lower, upper, true);
                addEntry(lower, 0, token);
            }
            case 2 -> {
                fold(lower, TEMPORARY + 2, true);
                fold(upper, TEMPORARY + 2, true);
                addEntry(lower, 0, token);
                addEntry(upper, 1, token);
            }
            default -> {
                // addEntry takes the fourth temporary register, or else the first when it is done with it
                fold(lower, TEMPORARY + 2, false);
                addEntry(lower, 0, token);
                addEntry(TEMPORARY + 2, 1, token);
                fold(upper, TEMPORARY + 2, false);
                addEntry(upper, 2, token);
                addEntry(TEMPORARY + 2, 3, token);
            }
        }
    }
}
