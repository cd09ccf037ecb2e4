package io.any4.cuda;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Routes;
import org.jspecify.annotations.Nullable;

/// The launches of single operations; addresses of host numbers come from [Inputs].
final class Launches {
    private static final int CHUNK = 256; // columns a warp takes at a time: see pack.cuh
    private static final int WARPS = 8;
    private static final int MOST_EXPERTS = 256; // see moe.cuh
    private static final int MOST_CHOICES = 32; // of a token: a warp's lanes
    private static final int MOST_ROWS = 65535; // of a grid's second dimension

    private Launches() {}

    static Launch embed(Op.Embed op, long ids) {
        return embed(op.table(), ids, 0, op.ids().length, op.out());
    }

    static Launch embed(Op.EmbedChosen op) {
        return embed(op.table(), 0, op.chosen().address(), 1, op.out());
    }

    /// Struct Embed of embed.cuh; either the ids or the chosen one have an address.
    private static Launch embed(CudaMatrix table, long ids, long chosen, int tokens, CudaBuffer out) {
        Arguments arguments = new Arguments()
                .address(table.codes())
                .address(table.tables())
                .address(table.scales())
                .address(table.factors())
                .address(ids)
                .address(chosen)
                .address(out.address())
                .integer(table.columns())
                .integer(table.paddedColumns())
                .integer(table.group())
                .integer(table.tableStride())
                .number(table.offset())
                .integer(0);
        return perElement("embed_" + table.format().kernel(), table.columns(), tokens, arguments);
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
        return perElement("store_" + op.out().type(), op.width(), op.span().tokens(), arguments);
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

    /// Struct Route of moe.cuh: a warp per token.
    static Launch route(Op.Route op) {
        Routes routes = op.routes();
        if (op.experts() > MOST_EXPERTS || routes.perToken() > MOST_CHOICES) {
            throw new InvalidInputException(
                    "%d of %d experts per token are too many for cuda, which has room for %d of %d: use --device cpu"
                            .formatted(routes.perToken(), op.experts(), MOST_CHOICES, MOST_EXPERTS));
        }
        byte[] arguments = new Arguments()
                .address(op.scores().address())
                .address(op.out().address())
                .integer(routes.tokens())
                .integer(op.experts())
                .integer(routes.perToken())
                .integer(0)
                .toBytes();
        return new Launch("route", Math.ceilDiv(routes.tokens(), WARPS), 1, 1, arguments);
    }

    static Launch combine(Op.Combine op) {
        Arguments arguments = new Arguments()
                .address(op.x().address())
                .address(op.choices().address())
                .address(op.out().address())
                .integer(op.width())
                .integer(op.routes().perToken());
        return perElement("combine", op.width(), op.routes().tokens(), arguments);
    }

    /// Adds `by` to `count` numbers.
    static Launch advance(long counters, int count, int by) {
        byte[] arguments =
                new Arguments().address(counters).integer(count).integer(by).toBytes();
        return new Launch("advance", Math.ceilDiv(count, Launch.THREADS), 1, 1, arguments);
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
