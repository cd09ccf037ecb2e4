package io.any4.cuda;

import org.jspecify.annotations.Nullable;

/// The launches of single operations; addresses of host numbers come from [Inputs].
final class Launches {
    private static final int CHUNK = 256; // columns a warp takes at a time: see pack.cuh
    private static final int WARPS = 8;
    private static final int MOST_ROWS = 65535; // of a grid's second dimension

    private Launches() {}

    static Launch embed(Op.Embed op, long ids) {
        CudaMatrix table = op.table();
        Arguments arguments = new Arguments()
                .address(table.codes())
                .address(table.tables())
                .address(table.scales())
                .address(table.factors())
                .address(ids)
                .address(op.out().address())
                .integer(table.columns())
                .integer(table.paddedColumns())
                .integer(table.group())
                .integer(table.tableStride())
                .number(table.offset())
                .integer(0);
        return perElement("embed_" + table.format().kernel(), table.columns(), op.ids().length, arguments);
    }

    /// `x [tokens, width]` to the tensor cores' operands.
    static Launch pack(CudaBuffer x, int width, Packing.Area area) {
        Arguments arguments = new Arguments().address(x.address()).integer(width);
        addPacked(arguments, area);
        return perChunk("pack", area.key().columns(), area.key().tokens(), arguments);
    }

    static Launch norm(Op.Norm op, Packing.@Nullable Area packed) {
        Arguments arguments = new Arguments()
                .address(op.x().address())
                .address(op.gain().address())
                .address(op.out().address())
                .integer(op.width())
                .number(op.epsilon());
        addPacked(arguments, packed);
        return new Launch("rms_norm", op.rows(), 1, 1, arguments.toBytes());
    }

    static Launch swiglu(Op.Swiglu op, int rows, int width, Packing.@Nullable Area packed) {
        Arguments arguments = new Arguments()
                .address(op.gate().address())
                .address(op.up().address())
                .address(op.out().address())
                .integer(width);
        addPacked(arguments, packed);
        return perChunk("swiglu", packed == null ? width : packed.key().columns(), rows, arguments);
    }

    static Launch add(Op.Add op) {
        Arguments arguments = new Arguments()
                .address(op.out().address())
                .address(op.y().address())
                .longInteger(op.length());
        int blocks = Math.toIntExact(Math.ceilDiv(op.length(), (long) Launch.THREADS));
        return new Launch("add", blocks, 1, 1, arguments.toBytes());
    }

    static Launch addBias(Op.AddBias op) {
        Arguments arguments = new Arguments()
                .address(op.out().address())
                .address(op.bias().address())
                .integer(op.width());
        return perElement("add_bias", op.width(), op.tokens(), arguments);
    }

    static Launch rope(Op.Rotate op, long position) {
        Arguments arguments = new Arguments()
                .address(op.out().address(op.span().row(), op.heads() * op.headDim()))
                .address(op.frequencies().address())
                .integer(op.heads())
                .integer(op.headDim())
                .address(position);
        return perElement("rope", op.heads() * op.headDim() / 2, op.span().tokens(), arguments);
    }

    static Launch store(Op.Store op, long position) {
        Arguments arguments = new Arguments()
                .address(op.source().address(op.span().row(), op.width()))
                .address(op.out().address())
                .integer(op.width())
                .address(position);
        return perElement("store", op.width(), op.span().tokens(), arguments);
    }

    static Launch gather(Op.Gather op, long rows) {
        Arguments arguments = new Arguments()
                .address(op.x().address())
                .address(rows)
                .address(op.out().address())
                .integer(op.width());
        return perElement("gather", op.width(), op.rows().length, arguments);
    }

    static Launch scatter(Op.Scatter op, long rows, long factors) {
        Arguments arguments = new Arguments()
                .address(op.x().address())
                .address(rows)
                .address(factors)
                .address(op.out().address())
                .integer(op.width());
        return perElement("scatter_add", op.width(), op.rows().length, arguments);
    }

    /// Struct Packed of pack.cuh; zeros where nothing is to be packed.
    static void addPacked(Arguments arguments, Packing.@Nullable Area area) {
        arguments.align(8);
        if (area == null) {
            arguments.address(0).address(0).integer(0).integer(0).integer(0).integer(0);
        } else {
            arguments.address(area.x()).address(area.sums()).integer(area.key().columns());
            arguments.integer(area.key().group()).integer(area.stride()).integer(0);
        }
    }

    private static Launch perElement(String kernel, int width, int rows, Arguments arguments) {
        return new Launch(kernel, Math.ceilDiv(width, Launch.THREADS), checked(rows), 1, arguments.toBytes());
    }

    private static Launch perChunk(String kernel, int width, int rows, Arguments arguments) {
        int blocks = Math.ceilDiv(Math.ceilDiv(width, CHUNK), WARPS);
        return new Launch(kernel, blocks, checked(rows), 1, arguments.toBytes());
    }

    private static int checked(int rows) {
        if (rows > MOST_ROWS) {
            throw new IllegalArgumentException(
                    "%d rows at once: the caller passes at most %d".formatted(rows, MOST_ROWS));
        }
        return rows;
    }
}
