package io.any4.cuda;

import java.lang.foreign.MemorySegment;

/// The numbers of the host that launches read: positions, token ids, rows, factors.
///
/// They lie in device memory at the same place in every step, so that the launches of one decode step equal
/// those of the next and a graph of them can be replayed.
final class Inputs {
    /// 32-bit numbers there is room for.
    static final int CAPACITY = 1 << 18;

    private final Gpu gpu;
    private final long address;
    private final int[] values = new int[CAPACITY];
    private int count;

    Inputs(Gpu gpu) {
        this.gpu = gpu;
        address = gpu.allocate(CAPACITY * 4L);
    }

    /// Adds the numbers of an operation; the result is the device address where they will be.
    long add(Op op) {
        long at = address + 4L * count;
        switch (op) {
            case Op.Embed embed -> put(embed.ids());
            case Op.Gather gather -> put(gather.rows());
            case Op.Scatter scatter -> {
                put(scatter.rows());
                for (float factor : scatter.factors()) {
                    values[count++] = Float.floatToRawIntBits(factor);
                }
            }
            case Op.Rotate rotate -> values[count++] = rotate.span().position();
            case Op.Store store -> values[count++] = store.span().position();
            case Op.Attend attend -> values[count++] = attend.span().position();
            case Op.MatMul m -> throw none(m);
            case Op.AddBias b -> throw none(b);
            case Op.Add a -> throw none(a);
            case Op.Norm n -> throw none(n);
            case Op.Swiglu s -> throw none(s);
        }
        return at;
    }

    private void put(int[] numbers) {
        System.arraycopy(numbers, 0, values, count, numbers.length);
        count += numbers.length;
    }

    private static IllegalArgumentException none(Op op) {
        return new IllegalArgumentException("no numbers of the host in " + op);
    }

    /// Sends everything added and starts afresh.
    void send() {
        if (count > 0) {
            gpu.upload(MemorySegment.ofArray(values).asSlice(0, count * 4L), address);
            count = 0;
        }
    }

    /// Numbers that an operation will add.
    static int needs(Op op) {
        return switch (op) {
            case Op.Embed embed -> embed.ids().length;
            case Op.Gather gather -> gather.rows().length;
            case Op.Scatter scatter -> 2 * scatter.rows().length;
            case Op.Rotate r -> 1;
            case Op.Store s -> 1;
            case Op.Attend a -> 1;
            case Op.MatMul m -> 0;
            case Op.AddBias b -> 0;
            case Op.Add a -> 0;
            case Op.Norm n -> 0;
            case Op.Swiglu s -> 0;
        };
    }
}
