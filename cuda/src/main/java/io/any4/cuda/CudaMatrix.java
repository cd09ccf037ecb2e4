package io.any4.cuda;

import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Weight;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A weight in GPU memory.
///
/// @param columns padded
/// @param codes device address, as are the next three; 0 stands for absent
record CudaMatrix(
        Weight weight,
        Format format,
        int paddedColumns,
        int group,
        float offset,
        int tableStride,
        long codes,
        long tables,
        long scales,
        long factors)
        implements Matrix {
    static CudaMatrix upload(Gpu gpu, Weight weight, PackedWeight packed) {
        return new CudaMatrix(
                weight,
                packed.format(),
                packed.columns(),
                packed.group(),
                packed.offset(),
                packed.tableStride(),
                upload(gpu, packed.codes()),
                upload(gpu, packed.tables()),
                upload(gpu, packed.scales()),
                upload(gpu, packed.factors()));
    }

    private static long upload(Gpu gpu, @Nullable MemorySegment data) {
        if (data == null) {
            return 0;
        }
        long address = gpu.allocate(data.byteSize());
        gpu.upload(data, address);
        return address;
    }

    void free(Gpu gpu) {
        for (long address : new long[] {codes, tables, scales, factors}) {
            if (address != 0) {
                gpu.free(address);
            }
        }
    }

    /// Row tiles of 16.
    int tiles() {
        return Math.ceilDiv(rows(), Format.TILE_ROWS);
    }

    /// Columns that share a step of the activations, or [Packing#NUMBERS].
    int activationGroup() {
        return format.coded() ? group : Packing.NUMBERS;
    }

    /// Whether one launch can compute both from the same packed activations.
    boolean runsWith(CudaMatrix other) {
        return format == other.format && paddedColumns == other.paddedColumns && group == other.group;
    }
}
