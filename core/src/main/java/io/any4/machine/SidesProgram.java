package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R8;
import static io.any4.machine.Assembler.RCX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSI;
import static io.any4.machine.Instruction.VBROADCASTSS;
import static io.any4.machine.Instruction.VCVTPH2PS;
import static io.any4.machine.Instruction.VFMADD231PS;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VMOVUPS_STORE;
import static io.any4.machine.Instruction.VMULPS;

/// Turns what eight neighbouring rows multiply their entries with, so that every lane is a row.
///
///     void (row, scales, zeros)
///
/// writes `scale * unit` and `scale * middle + zero`: for each of [RowShape#paddedEntries] eight floats, as
/// many bytes apart as a panel has rows. Vectors are of 256 bits, whatever the other programs use.
final class SidesProgram {
    static final int PARAMETERS = 3;
    static final int ROWS = 8;

    private static final int YMM = 32;
    private static final int UPPER = 8;
    private static final int LOADED = 8;
    private static final int FACTOR = 9;

    private final Assembler code = new Assembler();
    private final RowShape shape;
    private final int entryBytes;

    private SidesProgram(RowShape shape, Isa isa) {
        this.shape = shape;
        entryBytes = TileProgram.VECTORS * isa.bytes;
    }

    static byte[] write(RowShape shape, Isa isa) {
        SidesProgram program = new SidesProgram(shape, isa);
        program.write();
        return program.code.toBytes();
    }

    private void write() {
        code.loadAddress(R8, at(RDI, 0));
        code.set(RCX, shape.paddedEntries() / RowShape.SIDES);
        int next = code.here();
        for (int r = 0; r < ROWS; r++) {
            load(r, RowShape.SCALES_AT, r);
            code.vector(VBROADCASTSS, YMM, FACTOR, row(r, RowShape.UNIT_AT));
            code.vector(VMULPS, YMM, r, r, FACTOR);
        }
        turnAndStore(RSI);
        for (int r = 0; r < ROWS; r++) {
            load(r, RowShape.SCALES_AT, LOADED);
            load(r, shape.zerosAt(), r);
            code.vector(VBROADCASTSS, YMM, FACTOR, row(r, RowShape.MIDDLE_AT));
            code.vector(VFMADD231PS, YMM, r, LOADED, FACTOR);
        }
        turnAndStore(RDX);
        code.add(R8, RowShape.SIDES * shape.sideBytes());
        code.add(RSI, RowShape.SIDES * entryBytes);
        code.add(RDX, RowShape.SIDES * entryBytes);
        code.countDown(RCX, next);
        code.finish();
    }

    private Address row(int r, int displacement) {
        return at(RDI, r * shape.rowBytes() + displacement);
    }

    /// Loads eight of a row's sides.
    private void load(int r, int displacement, int to) {
        Address from = at(R8, r * shape.rowBytes() + displacement);
        code.vector(shape.halfSides() ? VCVTPH2PS : VMOVUPS, YMM, to, from);
    }

    private void turnAndStore(int out) {
        Squares.turn8(code, UPPER);
        for (int e = 0; e < RowShape.SIDES; e++) {
            code.vector(VMOVUPS_STORE, YMM, e, at(out, e * entryBytes));
        }
    }
}
