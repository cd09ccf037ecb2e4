package io.any4.cuda;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Consecutive matrix products of the same activations, with the biases and residual sums that follow:
/// one launch.
final class GemmGroup {
    /// Parts of the kernel's argument.
    private static final int MOST = 3;

    private static final int NO_TILE = Integer.MAX_VALUE;

    private static final class Part {
        final Op.MatMul op;

        @Nullable
        CudaBuffer bias;

        @Nullable
        CudaBuffer residual;

        Part(Op.MatMul op) {
            this.op = op;
        }
    }

    private final List<Part> parts = new ArrayList<>();
    private int taken;

    private GemmGroup(Op.MatMul first) {
        parts.add(new Part(first));
        taken = 1;
    }

    /// Starts with the product at index `i` and takes what follows as long as it fits.
    static GemmGroup gather(List<Op> ops, int i, Op.MatMul first) {
        GemmGroup group = new GemmGroup(first);
        while (i + group.taken < ops.size() && group.take(ops.get(i + group.taken))) {
            group.taken++;
        }
        return group;
    }

    private boolean take(Op op) {
        return switch (op) {
            case Op.MatMul next -> takeProduct(next);
            case Op.AddBias bias -> takeBias(bias);
            case Op.Add add -> takeResidual(add);
            default -> false;
        };
    }

    private boolean takeProduct(Op.MatMul next) {
        Op.MatMul first = parts.getFirst().op;
        if (parts.size() == MOST
                || next.x() != first.x()
                || next.tokens() != first.tokens()
                || !next.w().runsWith(first.w())
                || outputs().contains(next.out())
                || outputs().contains(next.x())) {
            return false;
        }
        parts.add(new Part(next));
        return true;
    }

    private boolean takeBias(Op.AddBias op) {
        for (Part part : parts) {
            if (part.op.out() == op.out()
                    && part.bias == null
                    && part.residual == null
                    && op.tokens() == part.op.tokens()
                    && op.width() == part.op.w().rows()) {
                part.bias = op.bias();
                return true;
            }
        }
        return false;
    }

    private boolean takeResidual(Op.Add op) {
        for (Part part : parts) {
            if (part.op.out() == op.y()
                    && part.residual == null
                    && !outputs().contains(op.out())
                    && op.out() != part.op.x()
                    && op.length() == (long) part.op.tokens() * part.op.w().rows()) {
                part.residual = op.out();
                return true;
            }
        }
        return false;
    }

    /// Operations in the group.
    int taken() {
        return taken;
    }

    /// Every buffer that the launch writes.
    List<CudaBuffer> outputs() {
        List<CudaBuffer> outputs = new ArrayList<>();
        for (Part part : parts) {
            outputs.add(part.op.out());
            if (part.residual != null) {
                outputs.add(part.residual);
            }
        }
        return outputs;
    }

    /// A matrix that stands for all: they agree in everything but rows.
    CudaMatrix matrix() {
        return parts.getFirst().op.w();
    }

    int tokens() {
        return parts.getFirst().op.tokens();
    }

    /// Row tiles of all matrices.
    int tiles() {
        return parts.stream().mapToInt(part -> part.op.w().tiles()).sum();
    }

    /// Adds the matrices to a launch's arguments: `part` of struct Gemm in gemm.cuh.
    void addTo(Arguments arguments) {
        int tile = 0;
        for (int i = 0; i < MOST; i++) {
            if (i < parts.size()) {
                add(arguments, parts.get(i), tile);
                tile += parts.get(i).op.w().tiles();
            } else {
                addNone(arguments);
            }
        }
    }

    private static void add(Arguments arguments, Part part, int firstTile) {
        CudaMatrix w = part.op.w();
        arguments.address(w.codes()).address(w.tables()).address(w.scales()).address(w.factors());
        arguments.address(part.bias == null ? 0 : part.bias.address());
        arguments.address(part.op.out().address());
        arguments.address(part.residual == null ? 0 : part.residual.address());
        arguments.integer(w.rows()).integer(w.tableStride()).number(w.offset()).integer(firstTile);
    }

    /// Adds what is written by a product whose matrix is read from device memory, in the place of all matrices.
    static void addOutput(Arguments arguments, CudaBuffer y, int rows) {
        arguments.address(0).address(0).address(0).address(0).address(0);
        arguments.address(y.address()).address(0);
        arguments.integer(rows).integer(0).number(0).integer(0);
        addNone(arguments);
        addNone(arguments);
    }

    private static void addNone(Arguments arguments) {
        for (int i = 0; i < 7; i++) {
            arguments.address(0);
        }
        arguments.integer(0).integer(0).number(0).integer(NO_TILE);
    }
}
