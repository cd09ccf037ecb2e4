package io.any4.cuda;

/// How the kernels read a weight: see formats.cuh.
enum Format {
    /// 4-bit codes into a table of 16 entries.
    LUT4("lut4", 1),
    /// 4-bit integers without a table.
    INT4("int4", 1),
    /// 8-bit integers.
    INT8("int8", 2),
    /// Numbers of the activation type.
    DENSE("dense", 4);

    /// Columns of a storage tile, which has 16 rows.
    static final int TILE_COLUMNS = 64;

    static final int TILE_ROWS = 16;

    private final String kernel;
    private final int vectors;

    Format(String kernel, int vectors) {
        this.kernel = kernel;
        this.vectors = vectors;
    }

    /// What the names of its kernels contain.
    String kernel() {
        return kernel;
    }

    /// 16-byte vectors per lane and tile.
    int vectors() {
        return vectors;
    }

    /// Whether weights are codes, which are multiplied as integers.
    boolean coded() {
        return this != DENSE;
    }

    /// Columns that a warp takes at a time: `UNIT` of gemm.cuh.
    int unitColumns(int group) {
        return coded() ? Math.max(TILE_COLUMNS, group) : TILE_COLUMNS;
    }

    /// Bytes of a tile of 16 rows and 64 columns.
    int tileBytes() {
        return vectors * 32 * 16;
    }
}
