package io.any4.machine;

/// How the rows of a weight and the tokens that meet them lie in memory for the programs of bytes.
///
/// **Sixteen rows** that follow each other lie together, from a cache line on. Row `4 r + q` of them has the
/// `r`-th 16 bytes of every line of 64 bytes that is the `q`-th of four:
///
///     tables   four lines: 16 bytes 0 to [#TABLE_LIMIT] of each row; shorter tables are repeated
///     units    F32 of each row: what 1 in the table is worth
///     bases    F32 of each row: what 0 in the table is worth
///     entries  one after the other: scales of the rows, zeros of the rows, and codes, four lines at a time
///
/// so that an element is `scale * (unit * table[code] + base) + zero`. An *entry* is a group of columns, or a
/// piece of [#MOST_COLUMNS] of one, or a whole short row. Scales and zeros are F16 or F32. Byte `j` of the 16
/// that a line has of a row holds, from the lowest bits up, the codes of columns `j`, `16 + j` and so on of
/// those in the line.
///
/// **A token** is quantized per entry:
///
///     scales   F32 per entry: what 1 is worth
///     sums     F32 per entry: the sum of its columns, times the scale
///     columns  bytes from -[#TOKEN_LIMIT] to [#TOKEN_LIMIT]
///
/// A product of a row and a token is, for all programs, 0 to which every entry `e` adds in turn
///
///     y = y + (scale[e] * base + zero[e]) * sums[e]
///     y = y + (float(D[e]) * (scale[e] * unit)) * scales[e]
///
/// with fused multiply-adds, and with the integers `D[e] = sum_i table[code[i]] * column[i]`, which are exact.
/// So results do not depend on the program, the number of tokens or the width of vectors.
///
/// Codes of 8 bits are no codes but what tables of 256 entries 0, 1, ... would have: there are no tables then.
///
/// @param bits per code: 2, 4 or 8
/// @param columns of the weight
/// @param groupSize consecutive columns that share a scale
/// @param halfSides whether scales and zeros are F16
public record ByteShape(int bits, int columns, int groupSize, boolean halfSides) {
    /// Rows that lie together.
    public static final int ROWS = 16;

    /// Lines among which the rows are dealt out.
    public static final int LINES = 4;

    /// Bytes that a line has of a row.
    public static final int STEP = 16;

    public static final int LINE = 64;

    /// The largest byte of a token.
    public static final int TOKEN_LIMIT = 127;

    /// The largest byte of a table.
    public static final int TABLE_LIMIT = 255;

    /// Entries of a table.
    public static final int TABLE_ENTRIES = 16;

    public static final int UNITS_AT = LINES * LINE;
    public static final int BASES_AT = UNITS_AT + 4 * ROWS;
    public static final int ENTRIES_AT = BASES_AT + 4 * ROWS;

    /// Columns of an entry at most.
    static final int MOST_COLUMNS = 128;

    /// Whether groups are made of entries, and entries of whole lines, as the programs need it.
    public static boolean fits(int bits, int columns, int groupSize) {
        return (bits == 2 || bits == 4 || bits == 8)
                && (groupSize >= columns
                        || groupSize % MOST_COLUMNS == 0
                        || groupSize < MOST_COLUMNS && groupSize % lineColumns(bits) == 0);
    }

    public ByteShape {
        if (!fits(bits, columns, groupSize)) {
            throw new IllegalArgumentException(
                    "no program for groups of %d columns with %d bits".formatted(groupSize, bits));
        }
    }

    /// Columns of an entry.
    public int entryColumns() {
        return groupSize >= Math.min(columns, MOST_COLUMNS) ? MOST_COLUMNS : groupSize;
    }

    /// Entries of a row, the last of which may be short.
    public int entries() {
        return Math.ceilDiv(columns, entryColumns());
    }

    /// The group whose scale and zero an entry has.
    public int groupOf(int entry) {
        return Math.min(entry * entryColumns(), columns - 1) / groupSize;
    }

    /// Columns whose codes are in a line.
    public int lineColumns() {
        return lineColumns(bits);
    }

    private static int lineColumns(int bits) {
        return STEP * 8 / bits;
    }

    /// Bytes of a scale or zero.
    public int sideBytes() {
        return halfSides ? 2 : 4;
    }

    /// Where the zeros of an entry are; its scales are at 0.
    public int zerosAt() {
        return ROWS * sideBytes();
    }

    /// Where the codes of an entry are.
    public int codesAt() {
        return 2 * zerosAt();
    }

    /// Bytes of an entry of sixteen rows.
    public int entryBytes() {
        return codesAt() + entryColumns() / lineColumns() * LINES * LINE;
    }

    /// Bytes of sixteen rows.
    public int bytes() {
        return ENTRIES_AT + entries() * entryBytes();
    }

    /// Where a token's sums are; its scales are at 0.
    public int sumsAt() {
        return 4 * entries();
    }

    /// Where a token's columns are.
    public int columnsAt() {
        return Math.ceilDiv(8 * entries(), LINE) * LINE;
    }

    public int tokenBytes() {
        return Math.ceilDiv(columnsAt() + entries() * entryColumns(), LINE) * LINE;
    }
}
