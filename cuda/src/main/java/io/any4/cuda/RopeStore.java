package io.any4.cuda;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Four operations that every attention layer makes in a row: turn queries, turn keys, append keys,
/// append values.
///
/// @param q the turning of the queries
/// @param k that of the keys
/// @param keys appending the turned keys
/// @param values appending the values
record RopeStore(Op.Rotate q, Op.Rotate k, Op.Store keys, Op.Store values) {
    /// Operations that the launch replaces.
    static final int TAKEN = 4;

    /// The four operations from an index on, or null if they are not there.
    static @Nullable RopeStore at(List<Op> ops, int i) {
        if (i + TAKEN <= ops.size()
                && ops.get(i) instanceof Op.Rotate q
                && ops.get(i + 1) instanceof Op.Rotate k
                && ops.get(i + 2) instanceof Op.Store keys
                && ops.get(i + 3) instanceof Op.Store values) {
            RopeStore found = new RopeStore(q, k, keys, values);
            return found.fits() ? found : null;
        }
        return null;
    }

    private boolean fits() {
        int width = k.heads() * k.headDim();
        return keys.source() == k.out()
                && keys.out().dtype() == values.out().dtype()
                && q.out() != k.out()
                && values.source() != k.out()
                && values.source() != q.out()
                && keys.width() == width
                && values.width() == width
                && q.headDim() == k.headDim()
                && q.frequencies() == k.frequencies()
                && q.span().equals(k.span())
                && q.span().equals(keys.span())
                && q.span().equals(values.span())
                && q.position() == k.position()
                && q.position() == keys.position()
                && q.position() == values.position();
    }

    List<CudaBuffer> outputs() {
        return List.of(q.out(), k.out(), keys.out(), values.out());
    }

    /// The launch: struct RopeStore of rope.cuh.
    Launch launch(long position) {
        int row = q.span().row();
        byte[] arguments = new Arguments()
                .address(q.out().address(row, q.heads() * q.headDim()))
                .address(k.out().address(row, keys.width()))
                .address(values.source().address(row, values.width()))
                .address(keys.out().address())
                .address(values.out().address())
                .address(q.frequencies().address())
                .address(position)
                .integer(q.heads())
                .integer(k.heads())
                .integer(q.headDim())
                .integer(0)
                .toBytes();
        int threads = (q.heads() + 3 * k.heads()) * q.headDim() / 2;
        String kernel = "rope_store_" + keys.out().type();
        return new Launch(
                kernel, Math.ceilDiv(threads, Launch.THREADS), q.span().tokens(), 1, arguments);
    }
}
