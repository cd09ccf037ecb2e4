package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R10;
import static io.any4.machine.Assembler.R11;
import static io.any4.machine.Assembler.R8;
import static io.any4.machine.Assembler.R9;
import static io.any4.machine.Assembler.RAX;
import static io.any4.machine.Assembler.RBX;
import static io.any4.machine.Assembler.RCX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSI;
import static io.any4.machine.ByteShape.LINE;
import static io.any4.machine.ByteShape.LINES;
import static io.any4.machine.Instruction.VCVTDQ2PS;
import static io.any4.machine.Instruction.VCVTPH2PS;
import static io.any4.machine.Instruction.VFMADD231PS;
import static io.any4.machine.Instruction.VMOVD;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VMOVUPS_STORE;
import static io.any4.machine.Instruction.VMULPS;
import static io.any4.machine.Instruction.VPADDD;
import static io.any4.machine.Instruction.VPAND;
import static io.any4.machine.Instruction.VPBROADCASTD;
import static io.any4.machine.Instruction.VPDPBUSD;
import static io.any4.machine.Instruction.VPSHUFB;

/// Sixteen rows meet some tokens while they are looked up: one shuffle looks up 16 codes of each of four rows,
/// whose tables are the quarters of a register. Four such registers are turned so that every lane has four
/// columns of one row, and meet four columns of a token that are spread to all lanes. So nothing ever has to
/// be brought together from several lanes. Vectors of 256 bits do the same with one half of all lines and
/// then with the other.
///
///     void (rows, token, result, count, resultStride)
///
/// computes `count` times sixteen rows that follow each other; a token's results are F32 in the order of rows,
/// and `resultStride` bytes before the next token's.
final class ByteProgram {
    static final int PARAMETERS = 5;

    /// Bytes by which memory is asked for ahead of time; found by trying.
    private static final int AHEAD = 6144;

    private static final int XMM = 16;

    // Registers: four of codes or weights, four to turn them with, what masks codes, what a token's columns
    // are spread in where no instruction does so by itself, and sums; and the tables where there are 32.
    private static final int WEIGHTS = 0;
    private static final int FREE = 4;
    private static final int MASK = 8;
    private static final int SPREAD = 9;
    private static final int SUMS = 10;
    private static final int TABLES = 28;

    private final Assembler code = new Assembler();
    private final ByteShape shape;
    private final int bytes;
    private final int tokens;
    /// How many registers share the sums of a token, so that additions need not wait for each other.
    private final int chains;

    private ByteProgram(ByteShape shape, Isa isa, int tokens) {
        this.shape = shape;
        this.bytes = isa.bytes;
        this.tokens = tokens;
        chains = Math.min(4, Integer.highestOneBit(registersOfSums(isa) / tokens));
    }

    private static int registersOfSums(Isa isa) {
        return isa == Isa.AVX512_VNNI ? TABLES - SUMS : 16 - SUMS;
    }

    /// The most tokens that rows can meet at once.
    static int mostTokens(Isa isa) {
        return isa == Isa.AVX512_VNNI ? 8 : 6;
    }

    static byte[] write(ByteShape shape, Isa isa, int tokens) {
        ByteProgram program = new ByteProgram(shape, isa, tokens);
        program.write();
        return program.code.toBytes();
    }

    private int sums(int token, int chain) {
        return SUMS + tokens * chain + token;
    }

    private void write() {
        code.push(RBX);
        code.set(RAX, 0x01010101 * ((1 << shape.bits()) - 1));
        code.vector(VMOVD, XMM, WEIGHTS, RAX);
        code.vector(VPBROADCASTD, bytes, MASK, WEIGHTS);
        int next = code.here();
        for (int part = 0; part < LINE; part += bytes) {
            rows(part);
        }
        code.add(RDI, shape.bytes());
        code.add(RDX, 4 * ByteShape.ROWS);
        code.countDown(RCX, next);
        code.pop(RBX);
        code.finish();
    }

    /// Computes as many rows as vectors have lanes: those from byte `part` of all lines on.
    private void rows(int part) {
        startResults(part);
        if (bytes == LINE) {
            for (int q = 0; q < LINES; q++) {
                code.vector(VMOVUPS, bytes, TABLES + q, at(RDI, q * LINE));
            }
        }
        code.loadAddress(R9, at(RDI, ByteShape.ENTRIES_AT));
        code.move(RAX, RSI);
        code.loadAddress(R11, at(RSI, shape.columnsAt()));
        code.set(R10, shape.entries());
        int next = code.here();
        addProducts(part);
        addEntry(part);
        code.add(R9, shape.entryBytes());
        code.add(RAX, 4);
        code.add(R11, shape.entryColumns());
        code.countDown(R10, next);
    }

    private void startResults(int part) {
        code.clear(bytes, FREE);
        code.move(RBX, RDX);
        for (int t = 0; t < tokens; t++) {
            code.vector(VMOVUPS_STORE, bytes, FREE, at(RBX, part));
            code.loadAddress(RBX, at(RBX, R8, 1, 0));
        }
    }

    /// `D`, in sums that are shared by several registers.
    private void addProducts(int part) {
        for (int i = 0; i < chains * tokens; i++) {
            code.clear(bytes, SUMS + i);
        }
        for (int line = 0; part == 0 && line < shape.entryBytes(); line += LINE) {
            code.prefetch(at(R9, line + AHEAD));
        }
        for (int step = 0; step < shape.entryColumns() / ByteShape.STEP; step++) {
            lookUp(step, part);
            Squares.turnFour(code, bytes, WEIGHTS, FREE);
            for (int k = 0; k < 4; k++) {
                for (int t = 0; t < tokens; t++) {
                    Address columns = token(R11, t, ByteShape.STEP * step + 4 * k);
                    spread(VPDPBUSD, sums(t, k % chains), WEIGHTS + k, columns);
                }
            }
        }
    }

    /// Looks up 16 columns in each of four registers.
    private void lookUp(int step, int part) {
        int perLine = shape.lineColumns() / ByteShape.STEP;
        int shift = step % perLine * shape.bits();
        int lines = shape.codesAt() + step / perLine * LINES * LINE + part;
        for (int q = 0; q < LINES; q++) {
            int weights = WEIGHTS + q;
            Address line = at(R9, lines + q * LINE);
            if (shape.bits() == Byte.SIZE) {
                code.vector(VMOVUPS, bytes, weights, line);
                continue;
            }
            if (shift == 0) {
                code.vector(VPAND, bytes, weights, MASK, line);
            } else {
                code.vector(VMOVUPS, bytes, weights, line);
                code.shiftRight16(bytes, weights, weights, shift);
                code.vector(VPAND, bytes, weights, weights, MASK);
            }
            code.vector(VPSHUFB, bytes, weights, table(q, part), weights);
        }
    }

    /// A register with tables.
    private int table(int line, int part) {
        if (bytes == LINE) {
            return TABLES + line;
        }
        code.vector(VMOVUPS, bytes, FREE, at(RDI, line * LINE + part));
        return FREE;
    }

    /// Adds what an entry brings to the results.
    private void addEntry(int part) {
        int scale = FREE;
        int zero = FREE + 1;
        int result = FREE + 2;
        loadSides(scale, part, 0);
        loadSides(zero, part, shape.zerosAt());
        code.vector(VFMADD231PS, bytes, zero, scale, at(RDI, ByteShape.BASES_AT + part));
        code.vector(VMULPS, bytes, scale, scale, at(RDI, ByteShape.UNITS_AT + part));
        code.move(RBX, RDX);
        for (int t = 0; t < tokens; t++) {
            int sum = sums(t, 0);
            for (int c = 1; c < chains; c++) {
                code.vector(VPADDD, bytes, sum, sum, sums(t, c));
            }
            code.vector(VCVTDQ2PS, bytes, sum, sum);
            code.vector(VMULPS, bytes, sum, sum, scale);
            code.vector(VMOVUPS, bytes, result, at(RBX, part));
            spread(VFMADD231PS, result, zero, token(RAX, t, shape.sumsAt()));
            spread(VFMADD231PS, result, sum, token(RAX, t, 0));
            code.vector(VMOVUPS_STORE, bytes, result, at(RBX, part));
            code.loadAddress(RBX, at(RBX, R8, 1, 0));
        }
    }

    private void loadSides(int to, int part, int displacement) {
        Address sides = at(R9, displacement + part / 4 * shape.sideBytes());
        code.vector(shape.halfSides() ? VCVTPH2PS : VMOVUPS, bytes, to, sides);
    }

    /// `instruction to, first, [second]` with the same 32 bits for all lanes.
    private void spread(Instruction instruction, int to, int first, Address second) {
        if (bytes == LINE) {
            code.vectorSpread(instruction, to, first, second);
        } else {
            code.vector(VPBROADCASTD, bytes, SPREAD, second);
            code.vector(instruction, bytes, to, first, SPREAD);
        }
    }

    private Address token(int base, int t, int displacement) {
        return at(base, t * shape.tokenBytes() + displacement);
    }
}
