package io.any4.cuda;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Turns recorded operations into kernel launches, several operations into one where they follow each
/// other.
///
/// - Matrix products of the same activations run together, with the bias and the residual sum that
///   follow them.
/// - Norm, SwiGLU and attention write their result as tensor-core operands too when a product reads it
///   next.
/// - Rotating queries and keys and appending to the cache is one launch.
///
/// A list that chooses a token ends by raising the counters of [Inputs]: its like will follow.
final class Lowering {
    /// How far ahead the reader of a result is looked for.
    private static final int HORIZON = 4;

    private final Inputs inputs;
    private final Packing packing;
    private final AttentionLowering attention;
    private final Products products;
    private final TransformLowering transform;
    private final ChooseLowering choose;
    private final List<Launch> launches = new ArrayList<>();
    private final List<Integer> withInputs = new ArrayList<>();
    private List<Op> ops = List.of();
    private boolean advancing;

    Lowering(Gpu gpu, Inputs inputs, Packing packing) {
        this.inputs = inputs;
        this.packing = packing;
        this.attention = new AttentionLowering(gpu);
        this.products = new Products(gpu);
        this.transform = new TransformLowering(gpu);
        this.choose = new ChooseLowering(gpu);
    }

    /// The launches of a list of operations, which find their inputs once [Inputs#send] has been called.
    List<Launch> lower(List<Op> list) {
        ops = list;
        launches.clear();
        withInputs.clear();
        packing.forgetAll();
        for (int i = 0; i < ops.size(); ) {
            i += lowerAt(i);
        }
        Launch advance = ops.stream().anyMatch(op -> op instanceof Op.Choose) ? inputs.advance() : null;
        advancing = advance != null;
        if (advance != null) {
            launches.add(advance);
        }
        return List.copyOf(launches);
    }

    /// Adds the inputs of a list that repeats the one lowered last, as its launches expect them.
    void addInputs(List<Op> repeated) {
        for (int i : withInputs) {
            inputs.add(repeated.get(i));
        }
    }

    /// Whether the launches made last raise the counters.
    boolean advancing() {
        return advancing;
    }

    private Inputs.Place input(int i) {
        withInputs.add(i);
        return inputs.add(ops.get(i));
    }

    /// Lowers the operation at an index, and returns how many it took with it.
    private int lowerAt(int i) {
        if (ops.get(i) instanceof Op.MatMul first) {
            GemmGroup group = GemmGroup.gather(ops, i, first);
            packInput(inputKey(first), first.w().columns());
            group.outputs().forEach(packing::forget);
            launches.add(products.launch(group, packing.get(inputKey(first))));
            return group.taken();
        }
        RopeStore together = RopeStore.at(ops, i);
        if (together != null) {
            together.outputs().forEach(packing::forget);
            launches.add(together.launch(input(i).counter()));
            return RopeStore.TAKEN;
        }
        packing.forget(ops.get(i).out());
        lowerOne(i, ops.get(i));
        return 1;
    }

    private void lowerOne(int i, Op op) {
        switch (op) {
            case Op.Embed embed -> launches.add(Launches.embed(embed, input(i).numbers()));
            case Op.EmbedChosen embed -> launches.add(Launches.embed(embed));
            case Op.AddBias bias -> launches.add(Launches.addBias(bias));
            case Op.Add add -> launches.add(Launches.add(add));
            case Op.Norm norm -> launches.add(Launches.norm(norm, packed(i, norm.out(), norm.rows(), norm.width())));
            case Op.Rotate rotate -> launches.add(Launches.rope(rotate, input(i).counter()));
            case Op.Store store -> launches.add(Launches.store(store, input(i).counter()));
            case Op.Attend attend -> {
                long position = input(i).counter();
                int width = attend.shape().queryWidth();
                boolean merges = AttentionLowering.splits(attend) > 1;
                launches.addAll(attention.lower(
                        attend,
                        position,
                        merges ? packed(i, attend.out(), attend.span().tokens(), width) : null));
            }
            case Op.Swiglu swiglu -> launches.add(lowerSwiglu(i, swiglu));
            case Op.Gather gather -> launches.add(Launches.gather(gather, input(i).numbers()));
            case Op.Scatter scatter -> {
                long rows = input(i).numbers();
                launches.add(Launches.scatter(scatter, rows, rows + 4L * scatter.rows().length));
            }
            case Op.Transform transformed -> launches.addAll(transform.lower(transformed));
            case Op.Route route -> launches.add(Launches.route(route));
            case Op.RoutedMatMul routed -> lowerRouted(routed);
            case Op.Combine combine -> launches.add(Launches.combine(combine));
            case Op.Choose chosen -> launches.addAll(choose.lower(chosen, input(i)));
            case Op.MatMul matmul -> throw new IllegalStateException("products are lowered in groups");
        }
    }

    private Launch lowerSwiglu(int i, Op.Swiglu op) {
        Reader reader = reader(i, op.out());
        if (reader != null && op.length() == (long) reader.key.tokens() * reader.width) {
            return Launches.swiglu(op, reader.key.tokens(), reader.width, packing.begin(reader.key));
        }
        int rows = Math.toIntExact(Math.ceilDiv(op.length(), 1L << 24));
        if (op.length() % rows != 0) {
            throw new IllegalArgumentException("%d elements are too many for one SwiGLU".formatted(op.length()));
        }
        return Launches.swiglu(op, rows, Math.toIntExact(op.length() / rows), null);
    }

    /// The packed form that an operation should also write, because a product reads its result next; or
    /// null.
    private Packing.@Nullable Area packed(int i, CudaBuffer out, int rows, int width) {
        Reader reader = reader(i, out);
        if (reader == null || reader.key.tokens() != rows || reader.width != width) {
            return null;
        }
        return packing.begin(reader.key);
    }

    /// A product that reads a buffer.
    ///
    /// @param key of the packed form that it needs
    /// @param width of the rows that it reads
    private record Reader(Packing.Key key, int width) {}

    private @Nullable Reader reader(int i, CudaBuffer out) {
        for (int j = i + 1; j < Math.min(ops.size(), i + 1 + HORIZON); j++) {
            if (ops.get(j) instanceof Op.MatMul matmul && matmul.x() == out) {
                return new Reader(inputKey(matmul), matmul.w().columns());
            }
            if (ops.get(j) instanceof Op.RoutedMatMul routed && routed.x() == out) {
                return new Reader(
                        inputKey(routed, routed.w().parts().getFirst()),
                        routed.w().columns());
            }
            if (ops.get(j).out() == out) {
                return null;
            }
        }
        return null;
    }

    private void lowerRouted(Op.RoutedMatMul op) {
        for (CudaStack.Part part : op.w().parts()) {
            Packing.Key key = inputKey(op, part);
            packInput(key, op.w().columns());
            launches.add(products.launch(op, part, packing.get(key)));
        }
    }

    private void packInput(Packing.Key key, int width) {
        if (!packing.has(key)) {
            launches.add(Launches.pack(key.buffer(), width, packing.begin(key)));
        }
    }

    private static Packing.Key inputKey(Op.RoutedMatMul op, CudaStack.Part part) {
        return new Packing.Key(
                op.x(), op.rowsOfX(), part.like().paddedColumns(), part.like().activationGroup());
    }

    private static Packing.Key inputKey(Op.MatMul op) {
        return new Packing.Key(
                op.x(), op.tokens(), op.w().paddedColumns(), op.w().activationGroup());
    }
}
