package io.any4.cuda;

import java.util.HashMap;
import java.util.Map;

/// Where the tensor-core operands of activations are kept while a list of operations is lowered.
///
/// Coded weights take integers with a step per group, unquantized ones numbers of the activation type: see pack.cuh.
/// One area serves each size: an area is overwritten when another buffer of that size is packed, and forgotten
/// when its buffer changes.
final class Packing {
    /// Instead of a group: numbers of the activation type.
    static final int NUMBERS = 0;

    /// @param buffer the activations, `[tokens, width]`
    /// @param columns width padded to what the matrix wants
    /// @param group columns that share a step, or [#NUMBERS]
    record Key(CudaBuffer buffer, int tokens, int columns, int group) {}

    /// @param x address of the packed activations
    /// @param sums address of the steps and sums of groups, `[columns / group][stride][2]`
    record Area(Key key, long x, long sums) {
        /// Tokens padded to what a block of the kernel takes.
        int stride() {
            return stride(key);
        }

        private static int stride(Key key) {
            int block = ProductPlan.blockTokens(key.group != NUMBERS, key.tokens);
            return Math.ceilDiv(key.tokens, block) * block;
        }
    }

    /// Inputs of many lengths share few areas.
    private record Size(int tokens, int columns, int group) {
        static Size of(Key key) {
            return new Size(Area.stride(key), key.columns, key.group);
        }

        long operandBytes() {
            return Math.ceilDiv(tokens * (long) columns * 2, 256L) * 256;
        }

        long bytes() {
            return operandBytes() + (group == NUMBERS ? 0 : columns / group * 8L * tokens);
        }
    }

    private final Gpu gpu;
    private final Map<Size, Area> areas = new HashMap<>();
    private final Map<CudaBuffer, Area> valid = new HashMap<>();
    private long bytes;

    Packing(Gpu gpu) {
        this.gpu = gpu;
    }

    /// The area for a key, about to be filled by the launch that is being made.
    Area begin(Key key) {
        Size size = Size.of(key);
        Area old = areas.get(size);
        if (old != null) {
            valid.remove(old.key.buffer, old);
        }
        long x = old == null ? allocate(size) : old.x;
        Area area = new Area(key, x, x + size.operandBytes());
        areas.put(size, area);
        valid.put(key.buffer, area);
        return area;
    }

    private long allocate(Size size) {
        bytes += size.bytes();
        return gpu.allocate(size.bytes());
    }

    /// Whether the buffer's current content lies packed as the key says.
    boolean has(Key key) {
        Area area = valid.get(key.buffer);
        return area != null && area.key.equals(key);
    }

    Area get(Key key) {
        Area area = valid.get(key.buffer);
        if (area == null || !area.key.equals(key)) {
            throw new IllegalStateException("not packed: " + key);
        }
        return area;
    }

    /// The buffer's content changes.
    void forget(CudaBuffer buffer) {
        valid.remove(buffer);
    }

    void forgetAll() {
        valid.clear();
    }

    /// Frees all areas, for instance before many of new sizes follow.
    void free() {
        areas.values().forEach(area -> gpu.free(area.x));
        areas.clear();
        valid.clear();
        bytes = 0;
    }

    /// Memory of all areas.
    long bytes() {
        return bytes;
    }
}
