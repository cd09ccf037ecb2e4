package io.any4.cuda;

import io.any4.tinygemm.FloatActivations;
import io.any4.tinygemm.FpFormat;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Rotation;
import java.lang.foreign.MemorySegment;

/// An [InputTransform] in GPU memory.
sealed interface CudaTransform {
    /// Elements of a row.
    int width();

    /// @param signs device address of `[width]` floats, see [Rotation#signs]
    /// @param dense device address of `[order][order]` bytes
    /// @param run size of Sylvester's factor
    record Rotated(int width, int order, int run, long signs, long dense) implements CudaTransform {}

    /// @param scales device address of `[width]` floats
    record Rounded(int width, FpFormat format, long scales) implements CudaTransform {}

    static CudaTransform upload(Gpu gpu, InputTransform transform) {
        return switch (transform) {
            case Rotation rotation -> {
                byte[][] dense = rotation.dense();
                byte[] rows = new byte[dense.length * dense.length];
                for (int i = 0; i < dense.length; i++) {
                    System.arraycopy(dense[i], 0, rows, i * dense.length, dense.length);
                }
                yield new Rotated(
                        rotation.width(),
                        dense.length,
                        rotation.run(),
                        upload(gpu, MemorySegment.ofArray(rotation.signs())),
                        upload(gpu, MemorySegment.ofArray(rows)));
            }
            case FloatActivations floats ->
                new Rounded(floats.width(), floats.format(), upload(gpu, MemorySegment.ofArray(floats.scales())));
        };
    }

    private static long upload(Gpu gpu, MemorySegment data) {
        long address = gpu.allocate(data.byteSize());
        gpu.upload(data, address);
        return address;
    }
}
