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
final class Lowering {
    /// How far ahead the reader of a result is looked for.
    private static final int HORIZON = 4;

    private final Inputs inputs;
    private final Packing packing;
    private final AttentionLowering attention;
    private final Products products;
    private final List<Launch> launches = new ArrayList<>();
    private final List<Integer> withInputs = new ArrayList<>();
    private List<Op> ops = List.of();

    Lowering(Gpu gpu, Inputs inputs, Packing packing) {
        this.inputs = inputs;
        this.packing = packing;
        this.attention = new AttentionLowering(gpu);
        this.products = new Products(gpu);
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
        return List.copyOf(launches);
    }

    /// Adds the inputs of a list that repeats the one lowered last, as its launches expect them.
    void addInputs(List<Op> repeated) {
        for (int i : withInputs) {
            inputs.add(repeated.get(i));
        }
    }

    private long input(int i) {
        withInputs.add(i);
        return inputs.add(ops.get(i));
    }

    /// Lowers the operation at an index, and returns how many it took with it.
    private int lowerAt(int i) {
        if (ops.get(i) instanceof Op.MatMul first) {
            GemmGroup group = GemmGroup.gather(ops, i, first);
            packInput(first);
            group.outputs().forEach(packing::forget);
            launches.add(products.launch(group, packing.get(inputKey(first))));
            return group.taken();
        }
        RopeStore together = RopeStore.at(ops, i);
        if (together != null) {
            together.outputs().forEach(packing::forget);
            launches.add(together.launch(input(i)));
            return RopeStore.TAKEN;
        }
        packing.forget(ops.get(i).out());
        lowerOne(i, ops.get(i));
        return 1;
    }

    private void lowerOne(int i, Op op) {
        switch (op) {
            case Op.Embed embed -> launches.add(Launches.embed(embed, input(i)));
            case Op.AddBias bias -> launches.add(Launches.addBias(bias));
            case Op.Add add -> launches.add(Launches.add(add));
            case Op.Norm norm -> launches.add(Launches.norm(norm, packed(i, norm.out(), norm.rows(), norm.width())));
            case Op.Rotate rotate -> launches.add(Launches.rope(rotate, input(i)));
            case Op.Store store -> launches.add(Launches.store(store, input(i)));
            case Op.Attend attend -> {
                long position = input(i);
                int width = attend.shape().queryWidth();
                boolean merges = AttentionLowering.splits(attend) > 1;
                launches.addAll(attention.lower(
                        attend,
                        position,
                        merges ? packed(i, attend.out(), attend.span().tokens(), width) : null));
            }
            case Op.Swiglu swiglu -> launches.add(lowerSwiglu(i, swiglu));
            case Op.Gather gather -> launches.add(Launches.gather(gather, input(i)));
            case Op.Scatter scatter -> {
                long rows = input(i);
                launches.add(Launches.scatter(scatter, rows, rows + 4L * scatter.rows().length));
            }
            case Op.MatMul matmul -> throw new IllegalStateException("products are lowered in groups");
        }
    }

    private Launch lowerSwiglu(int i, Op.Swiglu op) {
        Op.MatMul reader = reader(i, op.out());
        if (reader != null && op.length() == (long) reader.tokens() * reader.w().columns()) {
            return Launches.swiglu(op, reader.tokens(), reader.w().columns(), packing.begin(inputKey(reader)));
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
        Op.MatMul reader = reader(i, out);
        if (reader == null || reader.tokens() != rows || reader.w().columns() != width) {
            return null;
        }
        return packing.begin(inputKey(reader));
    }

    private Op.@Nullable MatMul reader(int i, CudaBuffer out) {
        for (int j = i + 1; j < Math.min(ops.size(), i + 1 + HORIZON); j++) {
            if (ops.get(j) instanceof Op.MatMul matmul && matmul.x() == out) {
                return matmul;
            }
            if (ops.get(j).out() == out) {
                return null;
            }
        }
        return null;
    }

    private void packInput(Op.MatMul op) {
        Packing.Key key = inputKey(op);
        if (!packing.has(key)) {
            launches.add(Launches.pack(op.x(), op.w().columns(), packing.begin(key)));
        }
    }

    private static Packing.Key inputKey(Op.MatMul op) {
        return new Packing.Key(
                op.x(), op.tokens(), op.w().paddedColumns(), op.w().group());
    }
}
