package io.any4.cuda;

/// How a launch of matrix products is cut up: see gemm.cuh, gemm_stream.cuh and gemm_wide.cuh.
///
/// The cut of k into parts is a function of the matrix's shape alone, because it is the order of summation. Which
/// block computes what depends on the chip, and changes no result.
///
/// @param blockTokens tokens that a block computes from one decoding of the weights
/// @param columnBlocks blocks that share a row tile, each with other tokens
/// @param tiles row tiles of all matrices
/// @param parts of k
/// @param partUnits units of a part
/// @param longerParts the first so many parts have one unit more
/// @param halves that a warp's units of a part are cut into, 1 or 2; parts times halves are the pieces of k
record ProductPlan(
        int blockTokens, int columnBlocks, int tiles, int parts, int partUnits, int longerParts, int halves) {
    private static final int WARPS = Launch.THREADS / 32;
    private static final int MOST_TOKENS = 64;
    private static final int MOST_WIDE_TOKENS = 32;

    /// Stages of a warp: `DEPTH` of gemm_stream.cuh.
    private static final int DEPTH = 2;

    static ProductPlan of(CudaMatrix w, int tiles, int tokens) {
        int blockTokens = blockTokens(w.format().coded(), tokens);
        int units = w.paddedColumns() / w.format().unitColumns(w.group());
        int parts = Math.ceilDiv(w.paddedColumns(), WARPS * warpColumns(w.format(), w.group()));
        int most = Math.ceilDiv(Math.ceilDiv(units, parts), WARPS);
        int halves = w.format().coded() && most * w.format().unitColumns(w.group()) > halfColumns(w) ? 2 : 1;
        return new ProductPlan(
                blockTokens, Math.ceilDiv(tokens, blockTokens), tiles, parts, units / parts, units % parts, halves);
    }

    /// Tokens that a block computes from one decoding of the weights: a power of two, from a column tile to 64.
    ///
    /// @param coded whether weights are multiplied as integers, whose column tiles have 4 tokens, not 8
    static int blockTokens(boolean coded, int tokens) {
        int enough = tokens == 1 ? 1 : Integer.highestOneBit(tokens - 1) * 2;
        return Math.clamp(enough, coded ? 4 : 8, MOST_TOKENS);
    }

    private static int halfColumns(CudaMatrix w) {
        return warpColumns(w.format(), w.group()) / 2;
    }

    /// Columns that a warp takes of a part at most: as many as have `CODES` bytes of gemm.cuh.
    private static int warpColumns(Format format, int group) {
        return warpBytes(format, group) / format.tileBytes() * Format.TILE_COLUMNS;
    }

    private static int warpBytes(Format format, int group) {
        return format.coded() && group == 32 ? 2048 : 4096;
    }

    /// Pieces of k, whose sums are added one after the other.
    int pieces() {
        return parts * halves;
    }

    /// Numbers of a tile's result.
    int outputs() {
        return Format.TILE_ROWS * blockTokens;
    }

    /// How the work is dealt out to blocks that stay on their multiprocessor.
    ///
    /// @param blocks per column block
    /// @param shares whether blocks share row tiles, each taking some parts of k
    record Deal(int blocks, boolean shares) {}

    /// Whole tiles where sharing them would not spare the busiest block an item: bringing the parts of a tile together
    /// has a price.
    Deal deal(Chip chip, int sharedBytes) {
        int resident = blockTokens == MOST_TOKENS ? 1 : Math.clamp(chip.sharedBytes() / (sharedBytes + 1024), 1, 2);
        int slots = Math.max(1, chip.multiprocessors() * resident / columnBlocks);
        int whole = Math.min(tiles, slots);
        int dealt = Math.min(tiles * parts, slots);
        int spared = Math.ceilDiv(tiles, whole) * parts - Math.ceilDiv(tiles * parts, dealt);
        return columnBlocks == 1 && spared > 0 ? new Deal(dealt, true) : new Deal(whole, false);
    }

    /// Bytes of the stages of all warps: `DEPTH * STAGE` of gemm_stream.cuh, times the warps.
    static int stageBytes(Format format, int group) {
        return WARPS * DEPTH * stageBytes(format, group, warpColumns(format, group));
    }

    /// Bytes of a warp's stage: codes, scales and tables for some columns.
    private static int stageBytes(Format format, int group, int columns) {
        int codes = columns / Format.TILE_COLUMNS * format.tileBytes();
        int scales = format.coded() ? columns / group * Format.TILE_ROWS * 4 : 0;
        int tables = format == Format.LUT4 ? TablePacker.TILE_BYTES : 0;
        return codes + scales + tables;
    }

    /// The kernel's other shared memory: sums of the warps, of two items with both halves where they are small, and of
    /// the pieces so far.
    int sumBytes() {
        int buffers = blockTokens == 4 ? 4 : blockTokens == 8 ? 2 : 1;
        return 4 * (buffers * WARPS * 32 * (outputs() / 32 + 1) + outputs());
    }

    /// A launch of the kernels that keep activations in shared memory.
    ///
    /// @param teams of eight warps, each with a row tile of its own
    /// @param blocks per piece
    /// @param sharedBytes of activations and stages
    record Wide(int teams, int blocks, int sharedBytes) {}

    /// Whether those kernels take the launch on chips that have them: for coded weights and 5 to 32 tokens.
    static boolean isWide(Format format, int blockTokens) {
        return format.coded() && blockTokens > 4 && blockTokens <= MOST_WIDE_TOKENS;
    }

    /// One block per multiprocessor, as many for each piece.
    Wide wide(Chip chip, Format format, int group) {
        int teams = blockTokens == MOST_WIDE_TOKENS ? 1 : 2;
        int columns = warpColumns(format, group) / 2;
        int activations = columns * 2 * blockTokens + columns / group * 8 * blockTokens;
        int blocks = Math.clamp(chip.multiprocessors() / pieces(), 1, Math.ceilDiv(tiles, teams));
        return new Wide(teams, blocks, WARPS * (activations + teams * DEPTH * stageBytes(format, group, columns)));
    }
}
