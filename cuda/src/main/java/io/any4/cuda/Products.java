package io.any4.cuda;

/// Makes the launches of matrix products: the one place where it matters whether the kernels stream weights through
/// shared memory.
///
/// Lives on the GPU's thread.
final class Products {
    /// Rows of activations that a block of gemm_experts.cuh takes at most.
    private static final int MOST_ROUTED_ROWS = 8;

    private final Gpu gpu;
    private long partials;
    private long partialBytes;
    private long arrived;
    private long arrivedBytes;

    Products(Gpu gpu) {
        this.gpu = gpu;
    }

    /// The launch of a group over its packed activations.
    Launch launch(GemmGroup group, Packing.Area x) {
        CudaMatrix w = group.matrix();
        ProductPlan plan = ProductPlan.of(w, group.tiles(), group.tokens());
        Arguments arguments = new Arguments();
        group.addTo(arguments);
        arguments.address(x.x()).address(x.sums()).integer(w.paddedColumns());
        arguments.integer(group.tokens()).integer(x.stride());
        addParts(arguments, plan);
        String kernel = "%s_g%d_n%d".formatted(w.format().kernel(), w.group(), plan.blockTokens());
        if (!gpu.kernels().streams()) {
            return new Launch(kernel, plan.tiles(), plan.columnBlocks(), 1, arguments.toBytes());
        }
        return ProductPlan.isWide(w.format(), plan.blockTokens())
                ? wide(kernel, w, plan, arguments)
                : streamed(kernel, w, plan, arguments);
    }

    private Launch streamed(String kernel, CudaMatrix w, ProductPlan plan, Arguments arguments) {
        int stages = ProductPlan.stageBytes(w.format(), w.group());
        ProductPlan.Deal deal = plan.deal(gpu.chip(), stages + plan.sumBytes());
        addPlan(arguments, plan, deal.shares());
        return new Launch(kernel, deal.blocks(), plan.columnBlocks(), 1, Launch.THREADS, stages, arguments.toBytes());
    }

    private Launch wide(String kernel, CudaMatrix w, ProductPlan plan, Arguments arguments) {
        ProductPlan.Wide wide = plan.wide(gpu.chip(), w.format(), w.group());
        addPlan(arguments, plan, plan.pieces() > 1);
        int threads = wide.teams() * Launch.THREADS;
        return new Launch(kernel, wide.blocks(), plan.pieces(), 1, threads, wide.sharedBytes(), arguments.toBytes());
    }

    private static void addParts(Arguments arguments, ProductPlan plan) {
        arguments.integer(plan.parts()).integer(plan.partUnits()).integer(plan.longerParts());
        arguments.integer(plan.halves()).integer(0);
    }

    /// Struct Plan of gemm_stream.cuh.
    private void addPlan(Arguments arguments, ProductPlan plan, boolean shares) {
        if (shares) {
            reserve(plan);
        }
        arguments.address(shares ? partials : 0).address(shares ? arrived : 0);
        arguments.integer(plan.tiles()).integer(shares ? 1 : 0);
    }

    /// The launch of a product in which each row of activations takes its own matrix, for those of one layout: struct
    /// Experts of gemm_experts.cuh.
    Launch launch(Op.RoutedMatMul op, CudaStack.Part stack, Packing.Area x) {
        CudaMatrix w = stack.like();
        int rows = op.rowsOfX();
        ProductPlan plan = ProductPlan.of(w, w.tiles(), rows);
        Arguments arguments = new Arguments();
        GemmGroup.addOutput(arguments, op.out(), w.rows());
        arguments.address(x.x()).address(x.sums()).integer(w.paddedColumns());
        arguments.integer(rows).integer(x.stride());
        addParts(arguments, plan);
        arguments.address(stack.table()).address(op.choices().address());
        arguments.integer(op.choicesPerRow()).integer(0);
        int block = Math.min(plan.blockTokens(), MOST_ROUTED_ROWS);
        String kernel = "%s_g%d_experts_n%d".formatted(w.format().kernel(), w.group(), block);
        int choices = op.choicesPerRow() * Math.min(rows, block);
        return new Launch(kernel, w.tiles(), choices, Math.ceilDiv(rows, block), arguments.toBytes());
    }

    /// Room for the sums of shared tiles. What is outgrown stays: prepared launches use it.
    private void reserve(ProductPlan plan) {
        long needed = 4L * plan.tiles() * plan.pieces() * plan.outputs();
        if (needed > partialBytes) {
            partialBytes = Long.highestOneBit(needed - 1) * 2;
            partials = gpu.allocate(partialBytes);
        }
        if (4L * plan.tiles() > arrivedBytes) {
            arrivedBytes = Long.highestOneBit(4L * plan.tiles()) * 2;
            arrived = gpu.allocate(arrivedBytes);
            gpu.zero(arrived, arrivedBytes);
        }
    }
}
