package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R10;
import static io.any4.machine.Assembler.R15;
import static io.any4.machine.Assembler.RAX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Instruction.VBROADCASTI128;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VMOVUPS_STORE;
import static io.any4.machine.Instruction.VPADDD;
import static io.any4.machine.Instruction.VPAND;
import static io.any4.machine.Instruction.VPDPWSSD;
import static io.any4.machine.Instruction.VPMADDWD;
import static io.any4.machine.Instruction.VPSHUFB;
import static io.any4.machine.Instruction.VPUNPCKHBW;
import static io.any4.machine.Instruction.VPUNPCKLBW;

/// A vector of 32 codes costs a mask, two shuffles of bytes, two interleavings, two products and,
/// unless [Isa#addsProducts], two additions for each token, and half a shift.
///
/// A table is its 16 lower bytes and then its 16 upper ones. Results are registers 0 and 1, temporary values
/// 2 to 7 and sums from 8 on; bringing sums together takes the temporary values 4 to 7.
final class DecodeAvx2 extends DecodeProgram {
    private static final int YMM = 32;
    private static final int CODES = 2;
    private static final int INDEX = 3;
    private static final int LOWER = 4;
    private static final int UPPER = 5;
    private static final int ENTRIES = 6;
    private static final int PRODUCT = 7;
    private static final int SUMS = 8;

    DecodeAvx2(RowShape shape, Isa isa, int tokens) {
        super(shape, isa, tokens);
    }

    @Override
    int sums(int row, int token) {
        return SUMS + ROWS * token + row;
    }

    /// There is no register left for the mask of codes.
    @Override
    void open() {
        PanelAvx2.mask(code, INDEX);
        code.vector(VMOVUPS_STORE, YMM, INDEX, at(R15, 0));
    }

    @Override
    void block() {
        int entries = shape.entriesPerBlock();
        clearSums();
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < ROWS; i++) {
                addHalf(i, half);
            }
            if (entries > 1) {
                addEntries(half);
                clearSums();
            }
        }
        if (entries == 1) {
            addEntries(0);
        }
    }

    private void clearSums() {
        for (int i = 0; i < ROWS; i++) {
            for (int t = 0; t < tokens; t++) {
                code.clear(YMM, sums(i, t));
            }
        }
    }

    private void addHalf(int i, int half) {
        int perByte = 8 / shape.bits();
        code.vector(VMOVUPS, YMM, CODES, row(R10, i, YMM * half));
        for (int n = 0; n < perByte; n++) {
            int at = YMM * 2 * (half * perByte + n);
            code.vector(VPAND, YMM, INDEX, CODES, at(R15, 0));
            code.vector(VBROADCASTI128, YMM, LOWER, row(RDI, i, 0));
            code.vector(VBROADCASTI128, YMM, UPPER, row(RDI, i, 16));
            code.vector(VPSHUFB, YMM, LOWER, LOWER, INDEX);
            code.vector(VPSHUFB, YMM, UPPER, UPPER, INDEX);
            code.vector(VPUNPCKLBW, YMM, ENTRIES, LOWER, UPPER);
            addProducts(i, at);
            code.vector(VPUNPCKHBW, YMM, ENTRIES, LOWER, UPPER);
            addProducts(i, at + YMM);
            if (n + 1 < perByte) {
                code.shiftRight16(YMM, CODES, CODES, shape.bits());
            }
        }
    }

    private void addProducts(int i, int at) {
        for (int t = 0; t < tokens; t++) {
            if (isa.addsProducts) {
                code.vector(VPDPWSSD, YMM, sums(i, t), ENTRIES, token(RAX, t, at));
            } else {
                code.vector(VPMADDWD, YMM, PRODUCT, ENTRIES, token(RAX, t, at));
                code.vector(VPADDD, YMM, sums(i, t), sums(i, t), PRODUCT);
            }
        }
    }

    /// The lower four lanes are a quarter of the block, the upper ones the next.
    private void addEntries(int half) {
        for (int t = 0; t < tokens; t++) {
            bringTogether(t);
            if (shape.entriesPerBlock() == 4) {
                fold(LOWER, UPPER, false);
                addEntry(LOWER, 2 * half, t);
                addEntry(UPPER, 2 * half + 1, t);
            } else {
                fold(LOWER, UPPER, true);
                addEntry(LOWER, half, t);
            }
        }
    }
}
