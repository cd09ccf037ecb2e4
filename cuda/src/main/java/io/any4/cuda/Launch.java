package io.any4.cuda;

import java.util.Arrays;

/// One kernel launch. Launches with equal kernels, grids and arguments are equal.
///
/// @param threads of a block
/// @param sharedBytes shared memory on top of what the kernel declares
/// @param arguments the kernel's parameters, packed with their natural alignment
record Launch(String kernel, int gridX, int gridY, int gridZ, int threads, int sharedBytes, byte[] arguments) {
    /// Threads per block of every kernel but the wide products: `THREADS` in common.cuh.
    static final int THREADS = 256;

    Launch {
        if (gridX < 1 || gridY < 1 || gridZ < 1 || gridY > 65535 || gridZ > 65535) {
            throw new IllegalArgumentException("grid %d x %d x %d of %s".formatted(gridX, gridY, gridZ, kernel));
        }
    }

    /// A launch of blocks of [#THREADS] threads, without more shared memory.
    Launch(String kernel, int gridX, int gridY, int gridZ, byte[] arguments) {
        this(kernel, gridX, gridY, gridZ, THREADS, 0, arguments);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Launch that
                && kernel.equals(that.kernel)
                && gridX == that.gridX
                && gridY == that.gridY
                && gridZ == that.gridZ
                && threads == that.threads
                && sharedBytes == that.sharedBytes
                && Arrays.equals(arguments, that.arguments);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * (31 * kernel.hashCode() + gridX) + gridY) + Arrays.hashCode(arguments);
    }
}
