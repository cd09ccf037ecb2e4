package io.any4.tinygemm;

import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The rows of a packed matrix as blocks of equal size, each of which can be loaded as a whole vector.
///
/// Whole blocks are read where they lie. What is left of each row after them is copied once into blocks of its
/// own, filled up with zeros, so that kernels need neither masks nor bounds: they run over a row's whole blocks
/// and then over the one at its end.
final class PackedRows {
    private final MemorySegment data;
    private final MemorySegment ends;
    private final long dataAddress;
    private final long endsAddress;
    private final long rowBytes;
    private final int blockBytes;
    /// Whole blocks per row.
    final int full;
    /// Blocks per row, including a short one.
    final int blocks;

    PackedRows(Tensor matrix, int blockBytes) {
        Tensor own = offHeap(matrix);
        data = own.data();
        rowBytes = own.columns() * own.dtype().bytes();
        this.blockBytes = blockBytes;
        full = (int) (rowBytes / blockBytes);
        blocks = Math.toIntExact(Math.ceilDiv(rowBytes, blockBytes));
        ends = copyEnds(Math.toIntExact(own.rows()));
        dataAddress = data.address();
        endsAddress = ends.address();
    }

    /// The tensor itself, or a native copy of one that lies in a heap array, which has no address.
    private static Tensor offHeap(Tensor tensor) {
        if (tensor.data().isNative()) {
            return tensor;
        }
        long[] dims = tensor.shape().dims().stream().mapToLong(Long::longValue).toArray();
        Tensor copy = Tensor.allocate(Arena.ofAuto(), tensor.dtype(), dims);
        copy.data().copyFrom(tensor.data());
        return copy;
    }

    private MemorySegment copyEnds(int rows) {
        long whole = (long) full * blockBytes;
        if (whole == rowBytes) {
            return data;
        }
        MemorySegment copies = Arena.ofAuto().allocate((long) rows * blockBytes, 64);
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(data, row * rowBytes + whole, copies, (long) row * blockBytes, rowBytes - whole);
        }
        return copies;
    }

    /// The address of a row's whole blocks, or of the short block at its end, filled up with zeros.
    long address(int row, boolean end) {
        return end ? endsAddress + (long) row * blockBytes : dataAddress + row * rowBytes;
    }

    /// Whether the memory is still there, so that its addresses may be used.
    boolean isAlive() {
        return data.scope().isAlive();
    }

    /// How many blocks a row has there.
    int count(boolean end) {
        return end ? 1 : full;
    }

    /// The first block there.
    int first(boolean end) {
        return end ? full : 0;
    }

    boolean hasEnds() {
        return full < blocks;
    }
}
