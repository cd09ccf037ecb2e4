package io.any4.cuda;

/// How a launch of matrix products is cut up: see gemm.cuh and gemm_stream.cuh.
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
record ProductPlan(int blockTokens, int columnBlocks, int tiles, int parts, int partUnits, int longerParts) {
    private static final int WARPS = Launch.THREADS / 32;
    private static final int MOST_TOKENS = 64;

    /// Stages of a warp: `DEPTH` of gemm_stream.cuh.
    private static final int DEPTH = 2;

    static ProductPlan of(CudaMatrix w, int tiles, int tokens) {
        int blockTokens = blockTokens(w.format().coded(), tokens);
        int units = w.paddedColumns() / w.format().unitColumns(w.group());
        int parts = Math.ceilDiv(w.paddedColumns(), WARPS * warpColumns(w.format(), w.group()));
        return new ProductPlan(
                blockTokens, Math.ceilDiv(tokens, blockTokens), tiles, parts, units / parts, units % parts);
    }

    /// Tokens that a block computes from one decoding of the weights: a power of two, from a column tile to 64.
    ///
    /// @param coded whether weights are multiplied as integers, whose column tiles have 4 tokens, not 8
    static int blockTokens(boolean coded, int tokens) {
        int enough = tokens == 1 ? 1 : Integer.highestOneBit(tokens - 1) * 2;
        return Math.clamp(enough, coded ? 4 : 8, MOST_TOKENS);
    }

    /// Columns that a warp takes of a part at most: as many as have `CODES` bytes of gemm.cuh.
    private static int warpColumns(Format format, int group) {
        return warpBytes(format, group) / format.tileBytes() * Format.TILE_COLUMNS;
    }

    private static int warpBytes(Format format, int group) {
        return format.coded() && group == 32 ? 2048 : 4096;
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
        int scales = format.coded() ? warpColumns(format, group) / group * Format.TILE_ROWS * 4 : 0;
        int tables = format == Format.LUT4 ? TablePacker.TILE_BYTES : 0;
        return WARPS * DEPTH * (warpBytes(format, group) + scales + tables);
    }

    /// The kernel's other shared memory: sums of the warps, twice where they are small, and of the parts so far.
    int sumBytes() {
        int buffers = blockTokens <= 8 ? 2 : 1;
        return 4 * (buffers * WARPS * 32 * (outputs() / 32 + 1) + outputs());
    }
}
