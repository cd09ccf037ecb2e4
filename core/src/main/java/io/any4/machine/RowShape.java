package io.any4.machine;

/// How the rows of a weight and the tokens that meet them lie in memory for the integer programs.
///
/// **A row** starts on a cache line:
///
///     table    16 integers of 16 bits, [#tableLimit] at most; shorter tables are repeated
///     unit     F32: what 1 in the table is worth
///     middle   F32: what 0 in the table is worth
///     scales   per entry
///     zeros    per entry
///     codes    on a cache line again; a block of 64 bytes after the other
///
/// so that an element is `scale * (unit * table[code] + middle) + zero`. An *entry* is what has one scale in
/// a block: a block, or a part of one. Sides (scales and zeros) are F16 or F32 and filled up with zeros.
///
/// **A token** is quantized per block of columns:
///
///     scales   F32 per entry: what 1 is worth; entries of one block have the same
///     sums     F32 per entry: the sum of the entry's columns, times the scale
///     columns  integers of 16 bits, [#TOKEN_LIMIT] at most, in the order in which the programs unpack codes
///
/// A product of a row and a token is, for all programs and in this order,
///
///     y = sum_e (scale[e] * middle + zero[e]) * sums[e]
///     y = y + (float(D[e]) * (scale[e] * unit)) * scales[e]    for one entry e after the other
///
/// with fused multiply-adds, and with the integers `D[e] = sum_i table[code[i]] * column[i]`, which are exact
/// in 32 bits. So results do not depend on the program, the number of tokens or the width of vectors.
///
/// @param bits per code: 2 or 4
/// @param columns of the weight
/// @param groupSize consecutive columns that share a scale
/// @param halfSides whether scales and zeros are F16
public record RowShape(int bits, int columns, int groupSize, boolean halfSides) {
    /// Bytes of a block's codes.
    public static final int BLOCK_BYTES = 64;

    /// The largest integer of a token.
    public static final int TOKEN_LIMIT = 8191;

    /// Entries of a table.
    public static final int TABLE_ENTRIES = 16;

    public static final int UNIT_AT = 32;
    public static final int MIDDLE_AT = 36;
    public static final int SCALES_AT = 64;

    private static final int LINE = 64;
    /// Sides are read so many at once.
    static final int SIDES = 8;

    /// Whether groups are whole blocks or a half or a quarter of one, as the programs need it.
    public static boolean fits(int bits, int columns, int groupSize) {
        int block = 8 * BLOCK_BYTES / bits;
        return (bits == 2 || bits == 4)
                && (groupSize >= columns || groupSize % block == 0 || 2 * groupSize == block || 4 * groupSize == block);
    }

    public RowShape {
        if (!fits(bits, columns, groupSize)) {
            throw new IllegalArgumentException(
                    "no program for groups of %d columns with %d bits".formatted(groupSize, bits));
        }
    }

    /// The largest integer in a table: a block of products stays within 32 bits.
    public int tableLimit() {
        return bits == 4 ? 2047 : 1023;
    }

    /// Columns of a block.
    public int block() {
        return 8 * BLOCK_BYTES / bits;
    }

    /// Blocks of a row, the last of which may be short.
    public int blocks() {
        return Math.ceilDiv(columns, block());
    }

    /// Parts of a block with a scale each: 1, 2 or 4.
    public int entriesPerBlock() {
        return groupSize >= Math.min(columns, block()) ? 1 : block() / groupSize;
    }

    /// Entries of a row.
    public int entries() {
        return blocks() * entriesPerBlock();
    }

    /// Columns of an entry.
    public int entryColumns() {
        return block() / entriesPerBlock();
    }

    /// The group whose scale and zero an entry has.
    public int groupOf(int entry) {
        return Math.min(entry * entryColumns(), columns - 1) / groupSize;
    }

    /// Entries with those that fill up sides.
    public int paddedEntries() {
        return Math.ceilDiv(entries(), SIDES) * SIDES;
    }

    /// Bytes of a scale or zero.
    public int sideBytes() {
        return halfSides ? 2 : 4;
    }

    public int zerosAt() {
        return SCALES_AT + paddedEntries() * sideBytes();
    }

    public int codesAt() {
        return lines(zerosAt() + paddedEntries() * sideBytes());
    }

    public int rowBytes() {
        return codesAt() + blocks() * BLOCK_BYTES;
    }

    /// Where a token's sums are; its scales are at 0.
    public int sumsAt() {
        return 4 * paddedEntries();
    }

    /// Where a token's columns are.
    public int columnsAt() {
        return lines(8 * paddedEntries());
    }

    /// Bytes of a block of a token.
    public int tokenBlockBytes() {
        return 2 * block();
    }

    public int tokenBytes() {
        return columnsAt() + blocks() * tokenBlockBytes();
    }

    private static int lines(int bytes) {
        return Math.ceilDiv(bytes, LINE) * LINE;
    }
}
