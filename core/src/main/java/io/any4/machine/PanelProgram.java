package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSI;
import static io.any4.machine.Instruction.VMOVUPS_STORE;

/// Looks up a block of as many neighbouring rows as a vector has lanes, and turns it so that every lane is a
/// row.
///
///     void (row, codes, panel)
///
/// takes the first row, its codes of the block, and the place of these rows in the panel: a pair of columns
/// after the other, entry by entry, each with [TileProgram#VECTORS] vectors of rows.
abstract class PanelProgram {
    static final int PARAMETERS = 3;

    final Assembler code = new Assembler();
    final RowShape shape;
    final Isa isa;

    PanelProgram(RowShape shape, Isa isa) {
        this.shape = shape;
        this.isa = isa;
    }

    static byte[] write(RowShape shape, Isa isa) {
        PanelProgram program = switch (isa) {
            case AVX512_VNNI -> new PanelAvx512(shape);
            case AVX_VNNI, AVX2 -> new PanelAvx2(shape, isa);
        };
        for (int vector = 0; vector < isa.vectors(shape); vector++) {
            for (int r = 0; r < isa.lanes(); r++) {
                program.lookUp(r, vector);
            }
            program.turn();
            program.store(vector);
        }
        program.code.finish();
        return program.code.toBytes();
    }

    /// Writes one vector of row `r` to register `r`.
    abstract void lookUp(int r, int vector);

    /// Turns the square of the registers from 0 on.
    abstract void turn();

    final Address table(int r, int displacement) {
        return at(RDI, r * shape.rowBytes() + displacement);
    }

    final Address codes(int r, int displacement) {
        return at(RSI, r * shape.rowBytes() + displacement);
    }

    private void store(int vector) {
        for (int lane = 0; lane < isa.lanes(); lane++) {
            int pair = pair(vector, lane);
            code.vector(VMOVUPS_STORE, isa.bytes, lane, at(RDX, pair * TileProgram.VECTORS * isa.bytes));
        }
    }

    /// Which pair of columns of a block, entry by entry, a lane of a vector is.
    private int pair(int vector, int lane) {
        for (int entry = 0; entry < shape.entriesPerBlock(); entry++) {
            Isa.EntryPart part = isa.part(shape, entry);
            if (part.contains(vector, lane)) {
                return entry * part.vectors() * part.lanes() + part.index(vector, lane);
            }
        }
        throw new AssertionError("a lane belongs to no entry");
    }
}
