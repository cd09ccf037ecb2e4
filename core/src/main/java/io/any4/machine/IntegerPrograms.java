package io.any4.machine;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The programs that multiply weights of one [RowShape] with tokens, written when they are first needed.
///
/// All memory is given by addresses and has to be as [RowShape] says.
public final class IntegerPrograms {
    private static final Map<Key, IntegerPrograms> KNOWN = new ConcurrentHashMap<>();

    private final RowShape shape;
    private final Isa isa;
    private final MethodHandle panel;
    private final MethodHandle sides;
    private final @Nullable MethodHandle[] decode;
    private final @Nullable MethodHandle[] tiles;
    private final @Nullable MethodHandle[] zeros;

    private record Key(RowShape shape, Isa isa) {}

    /// Asked once.
    private static final class Found {
        static final Optional<String> OBSTACLE = CodeMemory.obstacle();
        static final Processor PROCESSOR = OBSTACLE.isEmpty() ? Processor.ask() : Processor.NONE;
    }

    private IntegerPrograms(RowShape shape, Isa isa) {
        this.shape = shape;
        this.isa = isa;
        panel = CodeMemory.function(PanelProgram.write(shape, isa), PanelProgram.PARAMETERS);
        sides = CodeMemory.function(SidesProgram.write(shape, isa), SidesProgram.PARAMETERS);
        decode = new MethodHandle[isa.decodeTokens + 1];
        tiles = new MethodHandle[isa.tileTokens + 1];
        zeros = new MethodHandle[isa.tileTokens + 1];
    }

    /// The sets of instructions that programs can be written for in this process, the best first.
    ///
    /// @param vectorBits how wide Java's vectors are, since the system supports no wider ones
    public static List<Isa> isas(int vectorBits) {
        return Stream.of(Isa.values())
                .filter(isa -> 8 * isa.bytes <= vectorBits && Found.PROCESSOR.has(isa))
                .toList();
    }

    /// Why [#isas] is empty, with what would help.
    public static String obstacle() {
        return Found.OBSTACLE.orElse(
                "the processor has no AVX2, Java does not use it, or system property any4.isa names something else");
    }

    /// @throws IllegalStateException if there is no memory for programs
    public static IntegerPrograms of(RowShape shape, Isa isa) {
        return KNOWN.computeIfAbsent(new Key(shape, isa), key -> new IntegerPrograms(key.shape, key.isa));
    }

    /// The column of a block whose integer is the `position`-th of a token's block.
    public int column(int position) {
        return isa.column(shape, position);
    }

    /// Tables as the programs want them, from [RowShape#TABLE_ENTRIES] integers.
    public void writeTable(short[] entries, byte[] out) {
        for (int i = 0; i < RowShape.TABLE_ENTRIES; i++) {
            boolean planes = isa.looksUpBytes();
            out[planes ? i : 2 * i] = (byte) entries[i];
            out[planes ? RowShape.TABLE_ENTRIES + i : 2 * i + 1] = (byte) (entries[i] >> 8);
        }
    }

    /// Rows that [#decode] computes together.
    public static int decodeRows() {
        return DecodeProgram.ROWS;
    }

    /// The most tokens that [#decode] takes.
    public int decodeTokens() {
        return isa.decodeTokens;
    }

    /// Bytes that [#decode] uses at `scratch`, which [#openScratch] prepares.
    public long scratchBytes() {
        return DecodeProgram.scratchBytes(shape);
    }

    /// Prepares memory for use as scratch memory, as often as it has been used for anything else.
    public static void openScratch(MemorySegment memory) {
        MemorySegment.copy(DecodeProgram.MASK, 0, memory, 0, DecodeProgram.MASK_BYTES);
    }

    /// As [DecodeProgram] says.
    public void decode(
            int tokens,
            long row,
            long token,
            long result,
            long count,
            long rowStride,
            long resultStride,
            long scratch,
            long tokenStride) {
        try {
            decode(tokens).invokeExact(row, token, result, count, rowStride, resultStride, scratch, tokenStride);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandle decode(int tokens) {
        MethodHandle program = decode[tokens];
        if (program == null) {
            program = CodeMemory.function(DecodeProgram.write(shape, isa, tokens), DecodeProgram.PARAMETERS);
            decode[tokens] = program;
        }
        return program;
    }

    /// Rows of a panel.
    public int panelRows() {
        return TileProgram.VECTORS * isa.lanes();
    }

    /// Bytes of a block of a panel.
    public long panelBytes() {
        return (long) panelRows() * shape.tokenBlockBytes();
    }

    /// Writes a block of [#panelRows] rows from the address `row` on to the address `panel`.
    public void panel(long row, int block, long out) {
        long codes = row + shape.codesAt() + (long) block * RowShape.BLOCK_BYTES;
        try {
            for (int v = 0; v < TileProgram.VECTORS; v++) {
                long first = (long) v * isa.lanes() * shape.rowBytes();
                panel.invokeExact(row + first, codes + first, out + (long) v * isa.bytes);
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// Writes what the [#panelRows] rows from the address `row` on multiply their entries with.
    ///
    /// @param scales F32 `[paddedEntries, panelRows]`: `scale * unit`
    /// @param zeros the same: `scale * middle + zero`
    public void sides(long row, long scales, long zeros) {
        try {
            for (int r = 0; r < panelRows(); r += SidesProgram.ROWS) {
                sides.invokeExact(row + (long) r * shape.rowBytes(), scales + 4L * r, zeros + 4L * r);
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// Writes what zeros bring of the results of a panel's rows, times the tokens from the address `token` on.
    ///
    /// @param result F32 `[tokens, panelRows]`
    /// @param zeros as [#sides] writes them
    public void startTiles(long token, int tokens, long result, long zeros) {
        run(this::zeros, 0, 0, token + shape.sumsAt(), tokens, result, zeros);
    }

    /// Adds a block of a panel's rows, times the tokens from the address `token` on, to their results.
    ///
    /// @param result F32 `[tokens, panelRows]`
    /// @param scales as [#sides] writes them, those of the block's entries
    public void addTiles(long panel, long token, int block, int tokens, long result, long scales) {
        long columns = token + shape.columnsAt() + (long) block * shape.tokenBlockBytes();
        long tokenScales = token + 4L * block * shape.entriesPerBlock();
        run(this::tile, panel, columns, tokenScales, tokens, result, scales);
    }

    /// Runs a program for whole tiles of tokens and another for the rest.
    private void run(
            IntFunction<MethodHandle> program,
            long panel,
            long columns,
            long tokenSides,
            int tokens,
            long result,
            long sides) {
        int whole = tokens / isa.tileTokens;
        int rest = tokens % isa.tileTokens;
        try {
            if (whole > 0) {
                program.apply(isa.tileTokens).invokeExact(panel, columns, result, sides, (long) whole, tokenSides);
            }
            if (rest > 0) {
                long done = (long) whole * isa.tileTokens;
                long skipped = done * shape.tokenBytes();
                program.apply(rest)
                        .invokeExact(
                                panel,
                                columns + skipped,
                                result + done * panelRows() * 4,
                                sides,
                                1L,
                                tokenSides + skipped);
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandle zeros(int tokens) {
        MethodHandle program = zeros[tokens];
        if (program == null) {
            program = CodeMemory.function(TileProgram.writeZeros(shape, isa, tokens), TileProgram.PARAMETERS);
            zeros[tokens] = program;
        }
        return program;
    }

    private MethodHandle tile(int tokens) {
        MethodHandle program = tiles[tokens];
        if (program == null) {
            program = CodeMemory.function(TileProgram.write(shape, isa, tokens), TileProgram.PARAMETERS);
            tiles[tokens] = program;
        }
        return program;
    }
}
