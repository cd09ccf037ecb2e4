package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R10;
import static io.any4.machine.Assembler.R11;
import static io.any4.machine.Assembler.R12;
import static io.any4.machine.Assembler.R13;
import static io.any4.machine.Assembler.R14;
import static io.any4.machine.Assembler.R15;
import static io.any4.machine.Assembler.R8;
import static io.any4.machine.Assembler.R9;
import static io.any4.machine.Assembler.RAX;
import static io.any4.machine.Assembler.RBP;
import static io.any4.machine.Assembler.RBX;
import static io.any4.machine.Assembler.RCX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSI;
import static io.any4.machine.Assembler.RSP;
import static io.any4.machine.Instruction.VBROADCASTSS;
import static io.any4.machine.Instruction.VCVTDQ2PS;
import static io.any4.machine.Instruction.VCVTPH2PS;
import static io.any4.machine.Instruction.VEXTRACTF128;
import static io.any4.machine.Instruction.VEXTRACTPS;
import static io.any4.machine.Instruction.VFMADD231PS;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VMOVUPS_STORE;
import static io.any4.machine.Instruction.VMULPS;
import static io.any4.machine.Instruction.VPADDD;
import static io.any4.machine.Instruction.VPUNPCKHDQ;
import static io.any4.machine.Instruction.VPUNPCKHQDQ;
import static io.any4.machine.Instruction.VPUNPCKLDQ;
import static io.any4.machine.Instruction.VPUNPCKLQDQ;

/// Four rows at a time meet up to four tokens while they are looked up.
///
/// The four rows are far apart, so that each is a stream of its own, and the lines of the rows after next are
/// asked for ahead of time. Each pair of a row and a token has a vector of integer sums; at the end of an
/// entry, those of the four rows become four lanes of one, which scales multiply.
///
///     void (row, token, result, count, rowStride, resultStride, scratch, tokenStride)
///
/// computes `count` times four rows: those at `row + i * rowStride`, whose results go to `result + i *
/// resultStride`, and then the neighbours of all four; with `tokenStride` bytes from one token's results to
/// the next's.
abstract class DecodeProgram {
    static final int PARAMETERS = 8;
    static final int ROWS = 4;

    /// Bytes of the scratch memory before the scales: what [DecodeAvx2] masks codes with.
    private static final int MASK_BYTES = 32;

    /// Rows by which memory is ahead.
    private static final int AHEAD = 2;

    private static final int LINE = 64;
    private static final int XMM = 16;
    private static final int YMM = 32;
    /// Bytes that are pushed at the start, and the address to return to.
    private static final int STACK = 7 * 8;

    /// The first of four registers that are free while sums are brought together.
    private static final int TEMPORARY = 4;

    final Assembler code = new Assembler();
    final RowShape shape;
    final Isa isa;
    final int tokens;

    DecodeProgram(RowShape shape, Isa isa, int tokens) {
        this.shape = shape;
        this.isa = isa;
        this.tokens = tokens;
    }

    static byte[] write(RowShape shape, Isa isa, int tokens) {
        DecodeProgram program = switch (isa) {
            case AVX512_VNNI -> new DecodeAvx512(shape, tokens);
            case AVX_VNNI, AVX2 -> new DecodeAvx2(shape, isa, tokens);
        };
        program.write();
        return program.code.toBytes();
    }

    /// Bytes of scratch memory: for every entry the scales, and the zeros, of four rows.
    static long scratchBytes(RowShape shape) {
        return MASK_BYTES + 2L * XMM * shape.paddedEntries();
    }

    private int zerosInScratch() {
        return XMM * shape.paddedEntries();
    }

    /// An address in row `i` of the four, relative to the same address of the first.
    static Address row(int base, int i, int displacement) {
        return switch (i) {
            case 0 -> at(base, displacement);
            case 1 -> at(base, R8, 1, displacement);
            case 2 -> at(base, R8, 2, displacement);
            default -> at(base, R11, 1, displacement);
        };
    }

    private void write() {
        for (int register : new int[] {RBX, RBP, R12, R13, R14, R15}) {
            code.push(register);
        }
        code.loadAddress(R11, at(R8, R8, 2, 0));
        code.loadAddress(R14, at(R9, R9, 2, 0));
        code.load(R15, at(RSP, STACK));
        code.load(R12, at(RSP, STACK + 8));
        open();
        int next = code.here();
        askForSides();
        transposeSides();
        startWithZeros();
        blocks();
        store();
        code.add(RDI, shape.rowBytes());
        code.add(RDX, 4);
        code.countDown(RCX, next);
        for (int register : new int[] {R15, R14, R13, R12, RBP, RBX}) {
            code.pop(register);
        }
        code.finish();
    }

    /// Prepares the start of scratch memory, whose address is in r15, if it is used.
    void open() {}

    private void askForSides() {
        for (int line = 0; line < shape.codesAt(); line += LINE) {
            for (int i = 0; i < ROWS; i++) {
                code.prefetch(row(RDI, i, AHEAD * shape.rowBytes() + line));
            }
        }
    }

    /// Writes, entry by entry, four rows' `scale * unit` and `scale * middle + zero` to scratch memory.
    private void transposeSides() {
        code.loadAddress(R10, at(RDI, RowShape.SCALES_AT));
        code.loadAddress(RBX, at(R15, MASK_BYTES));
        code.set(RBP, shape.paddedEntries() / RowShape.SIDES);
        int next = code.here();
        for (int i = 0; i < ROWS; i++) {
            loadSides(8, row(R10, i, 0));
            loadSides(ROWS + i, row(R10, i, shape.zerosAt() - RowShape.SCALES_AT));
            code.vector(VBROADCASTSS, YMM, 9, row(RDI, i, RowShape.UNIT_AT));
            code.vector(VBROADCASTSS, YMM, 10, row(RDI, i, RowShape.MIDDLE_AT));
            code.vector(VMULPS, YMM, i, 8, 9);
            code.vector(VFMADD231PS, YMM, ROWS + i, 8, 10);
        }
        transpose(0, 0);
        transpose(ROWS, zerosInScratch());
        code.add(R10, RowShape.SIDES * shape.sideBytes());
        code.add(RBX, RowShape.SIDES * XMM);
        code.countDown(RBP, next);
    }

    private void loadSides(int to, Address from) {
        code.vector(shape.halfSides() ? VCVTPH2PS : VMOVUPS, YMM, to, from);
    }

    /// Writes four registers of eight as eight of four.
    private void transpose(int first, int displacement) {
        Squares.turnFour(code, YMM, first, 8);
        for (int k = 0; k < 4; k++) {
            code.vector(VMOVUPS_STORE, XMM, first + k, at(RBX, displacement + XMM * k));
            code.vector(VEXTRACTF128, YMM, first + k, at(RBX, displacement + XMM * (4 + k)), 1);
        }
    }

    /// Results, four rows of a token to a register from 0 on, start with `sum_e zero[e] * sums[e]`.
    private void startWithZeros() {
        code.loadAddress(RBX, at(R15, MASK_BYTES));
        code.move(R13, RSI);
        for (int t = 0; t < tokens; t++) {
            code.clear(XMM, t);
        }
        code.set(RBP, shape.paddedEntries() / RowShape.SIDES);
        int next = code.here();
        for (int e = 0; e < RowShape.SIDES; e++) {
            code.vector(VMOVUPS, XMM, TEMPORARY, at(RBX, zerosInScratch() + XMM * e));
            for (int t = 0; t < tokens; t++) {
                code.vector(VBROADCASTSS, XMM, TEMPORARY + 1, token(R13, t, shape.sumsAt() + 4 * e));
                code.vector(VFMADD231PS, XMM, t, TEMPORARY, TEMPORARY + 1);
            }
        }
        code.add(RBX, RowShape.SIDES * XMM);
        code.add(R13, RowShape.SIDES * 4);
        code.countDown(RBP, next);
    }

    final Address token(int base, int t, int displacement) {
        return at(base, t * shape.tokenBytes() + displacement);
    }

    private void blocks() {
        code.loadAddress(RBX, at(R15, MASK_BYTES));
        code.move(R13, RSI);
        code.loadAddress(RAX, at(RSI, shape.columnsAt()));
        code.loadAddress(R10, at(RDI, shape.codesAt()));
        openRows();
        code.set(RBP, shape.blocks());
        int next = code.here();
        for (int i = 0; i < ROWS; i++) {
            code.prefetch(row(R10, i, AHEAD * shape.rowBytes()));
        }
        block();
        code.add(R10, RowShape.BLOCK_BYTES);
        code.add(RAX, shape.tokenBlockBytes());
        code.add(R13, 4 * shape.entriesPerBlock());
        code.add(RBX, XMM * shape.entriesPerBlock());
        code.countDown(RBP, next);
    }

    /// Loads what stays in registers for all blocks of the four rows, if anything does.
    void openRows() {}

    /// Adds a block: codes at r10, columns of tokens at rax; ends with [#addEntry] for each entry.
    abstract void block();

    /// The register of sums of a row and a token.
    abstract int sums(int row, int token);

    /// Adds up the sums of four rows, so that each four lanes of the register [#TEMPORARY] hold theirs.
    final void bringTogether(int token) {
        int bytes = isa.bytes;
        code.vector(VPUNPCKLDQ, bytes, TEMPORARY, sums(0, token), sums(1, token));
        code.vector(VPUNPCKHDQ, bytes, TEMPORARY + 1, sums(0, token), sums(1, token));
        code.vector(VPADDD, bytes, TEMPORARY, TEMPORARY, TEMPORARY + 1);
        code.vector(VPUNPCKLDQ, bytes, TEMPORARY + 1, sums(2, token), sums(3, token));
        code.vector(VPUNPCKHDQ, bytes, TEMPORARY + 2, sums(2, token), sums(3, token));
        code.vector(VPADDD, bytes, TEMPORARY + 1, TEMPORARY + 1, TEMPORARY + 2);
        code.vector(VPUNPCKLQDQ, bytes, TEMPORARY + 2, TEMPORARY, TEMPORARY + 1);
        code.vector(VPUNPCKHQDQ, bytes, TEMPORARY + 3, TEMPORARY, TEMPORARY + 1);
        code.vector(VPADDD, bytes, TEMPORARY, TEMPORARY + 2, TEMPORARY + 3);
    }

    /// Adds the upper half of a 256-bit register to its lower one, or only copies the upper one to `upper`.
    final void fold(int register, int upper, boolean add) {
        code.vector(VEXTRACTF128, YMM, register, 0, upper, 1);
        if (add) {
            code.vector(VPADDD, XMM, register, register, upper);
        }
    }

    /// Adds the integers of four rows, an entry's, to a token's results. The register is free afterwards.
    final void addEntry(int integers, int entry, int token) {
        int scale = TEMPORARY == integers ? TEMPORARY + 3 : TEMPORARY;
        code.vector(VCVTDQ2PS, XMM, integers, integers);
        code.vector(VMULPS, XMM, integers, integers, at(RBX, XMM * entry));
        code.vector(VBROADCASTSS, XMM, scale, token(R13, token, 4 * entry));
        code.vector(VFMADD231PS, XMM, token, integers, scale);
    }

    private void store() {
        code.move(R10, RDX);
        for (int t = 0; t < tokens; t++) {
            code.vector(VEXTRACTPS, XMM, t, at(R10, 0), 0);
            code.vector(VEXTRACTPS, XMM, t, at(R10, R9, 1, 0), 1);
            code.vector(VEXTRACTPS, XMM, t, at(R10, R9, 2, 0), 2);
            code.vector(VEXTRACTPS, XMM, t, at(R10, R14, 1, 0), 3);
            code.loadAddress(R10, at(R10, R12, 1, 0));
        }
    }
}
