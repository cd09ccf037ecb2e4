package io.any4.cuda;

import java.util.List;

/// Tells whether a list of operations is that of the step before, with other positions and token ids: then its
/// launches are the same and only [Inputs] differ. Looking is far cheaper than making the launches again.
final class Repetition {
    private Repetition() {}

    static boolean of(List<Op> ops, List<Op> earlier) {
        if (ops.size() != earlier.size()) {
            return false;
        }
        for (int i = 0; i < ops.size(); i++) {
            boolean together = RopeStore.at(ops, i) != null;
            if (together != (RopeStore.at(earlier, i) != null) || !repeats(ops.get(i), earlier.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean repeats(Op op, Op earlier) {
        if (op.out() != earlier.out()) {
            return false;
        }
        return switch (op) {
            case Op.Embed a ->
                earlier instanceof Op.Embed b && a.table() == b.table() && a.ids().length == b.ids().length;
            case Op.EmbedChosen a ->
                earlier instanceof Op.EmbedChosen b && a.table() == b.table() && a.chosen() == b.chosen();
            case Op.Choose a -> earlier instanceof Op.Choose b && ChooseLowering.alike(a, b);
            case Op.MatMul a ->
                earlier instanceof Op.MatMul b && a.w() == b.w() && a.x() == b.x() && a.tokens() == b.tokens();
            case Op.AddBias a ->
                earlier instanceof Op.AddBias b
                        && a.bias() == b.bias()
                        && a.tokens() == b.tokens()
                        && a.width() == b.width();
            case Op.Add a -> earlier instanceof Op.Add b && a.y() == b.y() && a.length() == b.length();
            case Op.Norm a ->
                earlier instanceof Op.Norm b
                        && a.x() == b.x()
                        && a.gain() == b.gain()
                        && a.epsilon() == b.epsilon()
                        && a.rows() == b.rows()
                        && a.width() == b.width();
            case Op.Rotate a ->
                earlier instanceof Op.Rotate b
                        && a.frequencies() == b.frequencies()
                        && a.span().equals(b.span())
                        && a.heads() == b.heads()
                        && a.headDim() == b.headDim();
            case Op.Store a ->
                earlier instanceof Op.Store b
                        && a.source() == b.source()
                        && a.span().equals(b.span())
                        && a.width() == b.width();
            case Op.Attend a -> earlier instanceof Op.Attend b && repeats(a, b);
            case Op.Swiglu a ->
                earlier instanceof Op.Swiglu b && a.gate() == b.gate() && a.up() == b.up() && a.length() == b.length();
            case Op.Transform a ->
                earlier instanceof Op.Transform b
                        && a.x() == b.x()
                        && a.transform() == b.transform()
                        && a.rows() == b.rows();
            case Op.Route a -> earlier.equals(a);
            case Op.RoutedMatMul a -> earlier instanceof Op.RoutedMatMul b && repeats(a, b);
            case Op.Combine a -> earlier.equals(a);
            case Op.Gather a ->
                earlier instanceof Op.Gather b
                        && a.x() == b.x()
                        && a.rows().length == b.rows().length
                        && a.width() == b.width();
            case Op.Scatter a ->
                earlier instanceof Op.Scatter b
                        && a.x() == b.x()
                        && a.rows().length == b.rows().length
                        && a.width() == b.width();
        };
    }

    private static boolean repeats(Op.RoutedMatMul a, Op.RoutedMatMul b) {
        return a.w() == b.w()
                && a.x() == b.x()
                && a.shared() == b.shared()
                && a.routes().equals(b.routes());
    }

    private static boolean repeats(Op.Attend a, Op.Attend b) {
        return a.q() == b.q()
                && a.keys() == b.keys()
                && a.values() == b.values()
                && a.shape().equals(b.shape())
                && a.span().equals(b.span())
                && AttentionLowering.splits(a) == AttentionLowering.splits(b);
    }
}
