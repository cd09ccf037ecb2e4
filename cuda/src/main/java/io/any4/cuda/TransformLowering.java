package io.any4.cuda;

import java.util.List;

/// Launches that transform the input of a product: see transform.cuh.
final class TransformLowering {
    private static final int LOW = 2048; // elements that one block mixes

    private final Gpu gpu;
    private long work;
    private long workLength;

    TransformLowering(Gpu gpu) {
        this.gpu = gpu;
    }

    List<Launch> lower(Op.Transform op) {
        return switch (op.transform()) {
            case CudaTransform.Rotated rotated -> rotate(op, rotated);
            case CudaTransform.Rounded rounded -> List.of(round(op, rounded));
        };
    }

    private List<Launch> rotate(Op.Transform op, CudaTransform.Rotated rotated) {
        int chunk = Math.min(rotated.run(), LOW);
        int high = rotated.run() / chunk;
        if (high == 1 && rotated.order() == 1) {
            return List.of(low(op, rotated, chunk, op.out().address()));
        }
        reserve((long) op.rows() * rotated.width());
        return List.of(low(op, rotated, chunk, work), high(op, rotated, chunk, high));
    }

    /// The second kernel cannot work in place. Sizes are rounded up, so that few are ever asked for.
    private void reserve(long length) {
        if (length > workLength) {
            workLength = Math.max(1, Long.highestOneBit(length - 1) * 2);
            work = gpu.allocate(4 * workLength);
        }
    }

    /// Struct Signs of transform.cuh.
    private static Launch low(Op.Transform op, CudaTransform.Rotated rotated, int chunk, long out) {
        byte[] arguments = new Arguments()
                .address(op.x().address())
                .address(rotated.signs())
                .address(out)
                .integer(rotated.width())
                .integer(chunk)
                .toBytes();
        return new Launch("hadamard_low", Math.ceilDiv(rotated.width(), LOW), op.rows(), 1, arguments);
    }

    /// Struct Mixture of transform.cuh.
    private Launch high(Op.Transform op, CudaTransform.Rotated rotated, int chunk, int high) {
        byte[] arguments = new Arguments()
                .address(work)
                .address(op.out().address())
                .address(rotated.dense())
                .integer(rotated.width())
                .integer(rotated.order())
                .integer(high)
                .integer(chunk)
                .align(8)
                .toBytes();
        return new Launch("hadamard_high", Math.ceilDiv(rotated.width(), Launch.THREADS), op.rows(), 1, arguments);
    }

    /// Struct Rounding of transform.cuh.
    private static Launch round(Op.Transform op, CudaTransform.Rounded rounded) {
        byte[] arguments = new Arguments()
                .address(op.x().address())
                .address(rounded.scales())
                .address(op.out().address())
                .integer(rounded.width())
                .integer(rounded.format().mantissaBits())
                .number(rounded.format().largest())
                .integer(0)
                .toBytes();
        return new Launch("round_floats", Math.ceilDiv(rounded.width(), Launch.THREADS), op.rows(), 1, arguments);
    }
}
