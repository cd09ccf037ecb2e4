package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R10;
import static io.any4.machine.Assembler.R11;
import static io.any4.machine.Assembler.R8;
import static io.any4.machine.Assembler.R9;
import static io.any4.machine.Assembler.RBP;
import static io.any4.machine.Assembler.RCX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSI;
import static io.any4.machine.Instruction.VBROADCASTSS;
import static io.any4.machine.Instruction.VCVTDQ2PS;
import static io.any4.machine.Instruction.VFMADD231PS;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VMOVUPS_STORE;
import static io.any4.machine.Instruction.VMULPS;
import static io.any4.machine.Instruction.VPADDD;
import static io.any4.machine.Instruction.VPBROADCASTD;
import static io.any4.machine.Instruction.VPDPWSSD;
import static io.any4.machine.Instruction.VPMADDWD;

/// One block of the rows of a panel meets many tokens: every lane is a row, so that nothing has to be added
/// across lanes, and the sums of a tile of tokens stay in registers for a whole entry.
///
///     void (panel, column, result, scale, count, tokenScale)
///
/// adds the block's share to the results of `count` tiles of tokens. `panel` is what [PanelProgram] has
/// written, `column` the block's columns of the first token, `tokenScale` the scale of its first entry;
/// `result` has the rows of the panel for one token after the other, and `scale` those of the panel's rows
/// for each entry.
final class TileProgram {
    static final int PARAMETERS = 6;

    /// Vectors of rows.
    static final int VECTORS = 2;

    private final Assembler code = new Assembler();
    private final RowShape shape;
    private final Isa isa;
    private final int tokens;
    /// What follows the sums: two vectors of the panel or two scales, and temporary values.
    private final int first;

    private final int second;
    private final int spread;
    private final int temporary;

    private TileProgram(RowShape shape, Isa isa, int tokens) {
        this.shape = shape;
        this.isa = isa;
        this.tokens = tokens;
        first = VECTORS * tokens;
        second = first + 1;
        spread = first + 2;
        temporary = first + 3;
    }

    /// @param tokens of a tile, at most [Isa#tileTokens]
    static byte[] write(RowShape shape, Isa isa, int tokens) {
        TileProgram program = new TileProgram(shape, isa, tokens);
        program.write();
        return program.code.toBytes();
    }

    private void write() {
        code.push(RBP);
        int next = code.here();
        for (int entry = 0; entry < shape.entriesPerBlock(); entry++) {
            addProducts(isa.part(shape, entry), entry);
            addToResults(entry);
        }
        code.add(RSI, tokens * shape.tokenBytes());
        code.add(R9, tokens * shape.tokenBytes());
        code.add(RDX, tokens * VECTORS * isa.bytes);
        code.countDown(R8, next);
        code.pop(RBP);
        code.finish();
    }

    private void addProducts(Isa.EntryPart part, int entry) {
        int lines = part.lanes() * VECTORS * isa.bytes;
        for (int i = 0; i < VECTORS * tokens; i++) {
            code.clear(isa.bytes, i);
        }
        code.loadAddress(R10, at(RDI, entry * part.vectors() * lines));
        code.loadAddress(R11, at(RSI, part.firstVector() * isa.bytes + 4 * part.firstLane()));
        code.set(RBP, part.vectors());
        int next = code.here();
        for (int lane = 0; lane < part.lanes(); lane++) {
            code.vector(VMOVUPS, isa.bytes, first, at(R10, VECTORS * lane * isa.bytes));
            code.vector(VMOVUPS, isa.bytes, second, at(R10, (VECTORS * lane + 1) * isa.bytes));
            for (int t = 0; t < tokens; t++) {
                code.vector(VPBROADCASTD, isa.bytes, spread, at(R11, t * shape.tokenBytes() + 4 * lane));
                addProduct(VECTORS * t, first);
                addProduct(VECTORS * t + 1, second);
            }
        }
        code.add(R10, lines);
        code.add(R11, isa.bytes);
        code.countDown(RBP, next);
    }

    private void addProduct(int sum, int rows) {
        if (isa.addsProducts) {
            code.vector(VPDPWSSD, isa.bytes, sum, rows, spread);
        } else {
            code.vector(VPMADDWD, isa.bytes, temporary, rows, spread);
            code.vector(VPADDD, isa.bytes, sum, sum, temporary);
        }
    }

    private void addToResults(int entry) {
        code.vector(VMOVUPS, isa.bytes, first, at(RCX, VECTORS * entry * isa.bytes));
        code.vector(VMOVUPS, isa.bytes, second, at(RCX, (VECTORS * entry + 1) * isa.bytes));
        for (int t = 0; t < tokens; t++) {
            code.vector(VBROADCASTSS, isa.bytes, spread, at(R9, t * shape.tokenBytes() + 4 * entry));
            for (int v = 0; v < VECTORS; v++) {
                int sum = VECTORS * t + v;
                int result = sum * isa.bytes;
                code.vector(VCVTDQ2PS, isa.bytes, sum, sum);
                code.vector(VMULPS, isa.bytes, sum, sum, v == 0 ? first : second);
                code.vector(VMOVUPS, isa.bytes, temporary, at(RDX, result));
                code.vector(VFMADD231PS, isa.bytes, temporary, sum, spread);
                code.vector(VMOVUPS_STORE, isa.bytes, temporary, at(RDX, result));
            }
        }
    }
}
