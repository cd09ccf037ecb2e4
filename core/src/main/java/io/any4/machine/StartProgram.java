package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R8;
import static io.any4.machine.Assembler.R9;
import static io.any4.machine.Assembler.RAX;
import static io.any4.machine.Assembler.RCX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSI;
import static io.any4.machine.Instruction.VBROADCASTSS;
import static io.any4.machine.Instruction.VFMADD231PS;
import static io.any4.machine.Instruction.VMOVUPS;
import static io.any4.machine.Instruction.VMOVUPS_STORE;

/// What zeros bring of the results of a panel's rows, to which [TileProgram] then adds: `sum_e zero[e] *
/// sums[e]`.
///
///     void (zero, sum, result, count)
///
/// writes the results of `count` tiles of tokens. `zero` has those of the panel's rows for each of
/// [RowShape#paddedEntries], `sum` is the first of the first token.
final class StartProgram {
    static final int PARAMETERS = 4;

    private static final int VECTORS = TileProgram.VECTORS;

    private final Assembler code = new Assembler();
    private final RowShape shape;
    private final int bytes;
    private final int tokens;
    /// What follows the results: two vectors of zeros and a token's sum.
    private final int first;

    private final int second;
    private final int spread;

    private StartProgram(RowShape shape, Isa isa, int tokens) {
        this.shape = shape;
        this.bytes = isa.bytes;
        this.tokens = tokens;
        first = VECTORS * tokens;
        second = first + 1;
        spread = first + 2;
    }

    /// @param tokens of a tile, at most [Isa#tileTokens]
    static byte[] write(RowShape shape, Isa isa, int tokens) {
        StartProgram program = new StartProgram(shape, isa, tokens);
        program.write();
        return program.code.toBytes();
    }

    private void write() {
        int next = code.here();
        for (int i = 0; i < VECTORS * tokens; i++) {
            code.clear(bytes, i);
        }
        addEntries();
        for (int i = 0; i < VECTORS * tokens; i++) {
            code.vector(VMOVUPS_STORE, bytes, i, at(RDX, i * bytes));
        }
        code.add(RSI, tokens * shape.tokenBytes());
        code.add(RDX, tokens * VECTORS * bytes);
        code.countDown(RCX, next);
        code.finish();
    }

    private void addEntries() {
        code.move(R8, RDI);
        code.move(R9, RSI);
        code.set(RAX, shape.paddedEntries());
        int next = code.here();
        code.vector(VMOVUPS, bytes, first, at(R8, 0));
        code.vector(VMOVUPS, bytes, second, at(R8, bytes));
        for (int t = 0; t < tokens; t++) {
            code.vector(VBROADCASTSS, bytes, spread, at(R9, t * shape.tokenBytes()));
            code.vector(VFMADD231PS, bytes, VECTORS * t, first, spread);
            code.vector(VFMADD231PS, bytes, VECTORS * t + 1, second, spread);
        }
        code.add(R8, VECTORS * bytes);
        code.add(R9, 4);
        code.countDown(RAX, next);
    }
}
