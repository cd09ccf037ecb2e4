package io.any4.machine;

import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// The programs that multiply weights of one [RowShape] with tokens, written when they are first needed.
///
/// All memory is given by addresses and has to be as [RowShape] says.
public final class IntegerPrograms {
    private static final Map<Key, IntegerPrograms> KNOWN = new ConcurrentHashMap<>();

    private final RowShape shape;
    private final Isa isa;
    private final MethodHandle panel;
    private final MethodHandle sides;
    private final ProgramsByTokens decode;
    private final ProgramsByTokens tiles;
    private final ProgramsByTokens starts;

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
        decode = new ProgramsByTokens(
                tokens -> DecodeProgram.write(shape, isa, tokens), DecodeProgram.PARAMETERS, isa.decodeTokens);
        tiles = new ProgramsByTokens(
                tokens -> TileProgram.write(shape, isa, tokens), TileProgram.PARAMETERS, isa.tileTokens);
        starts = new ProgramsByTokens(
                tokens -> StartProgram.write(shape, isa, tokens), StartProgram.PARAMETERS, isa.tileTokens);
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
        return Found.OBSTACLE.orElse("it takes a processor with AVX2, and Java with vectors of 256 bits or more");
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

    /// Bytes that [#decode] uses at `scratch`.
    public long scratchBytes() {
        return DecodeProgram.scratchBytes(shape);
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
            decode.of(tokens).invokeExact(row, token, result, count, rowStride, resultStride, scratch, tokenStride);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
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
        int whole = tokens / isa.tileTokens;
        int rest = tokens % isa.tileTokens;
        long sums = token + shape.sumsAt();
        long done = (long) whole * isa.tileTokens;
        try {
            if (whole > 0) {
                starts.of(isa.tileTokens).invokeExact(zeros, sums, result, (long) whole);
            }
            if (rest > 0) {
                starts.of(rest)
                        .invokeExact(zeros, sums + done * shape.tokenBytes(), result + done * panelRows() * 4, 1L);
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// Adds a block of a panel's rows, times the tokens from the address `token` on, to their results.
    ///
    /// @param result F32 `[tokens, panelRows]`
    /// @param scales as [#sides] writes them, those of the block's entries
    public void addTiles(long panel, long token, int block, int tokens, long result, long scales) {
        long columns = token + shape.columnsAt() + (long) block * shape.tokenBlockBytes();
        long tokenScales = token + 4L * block * shape.entriesPerBlock();
        int whole = tokens / isa.tileTokens;
        int rest = tokens % isa.tileTokens;
        long done = (long) whole * isa.tileTokens;
        long skipped = done * shape.tokenBytes();
        try {
            if (whole > 0) {
                tiles.of(isa.tileTokens).invokeExact(panel, columns, result, scales, (long) whole, tokenScales);
            }
            if (rest > 0) {
                long results = result + done * panelRows() * 4;
                tiles.of(rest).invokeExact(panel, columns + skipped, results, scales, 1L, tokenScales + skipped);
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
