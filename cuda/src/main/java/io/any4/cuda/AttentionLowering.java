package io.any4.cuda;

import io.any4.checkpoint.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Launches of attention: one kernel over splits of the cache, one that merges them when there are several.
final class AttentionLowering {
    /// Positions per split: `SPLIT` in attention.cuh.
    static final int SPLIT = 128;

    private static final int CHUNKS_PER_BLOCK = 8;
    private static final int CHUNK = 256;
    private static final long PARTIAL_BYTES = 64L << 20;
    private static final double LOG2_E = 1 / Math.log(2);

    private final Gpu gpu;
    private long partial;

    AttentionLowering(Gpu gpu) {
        this.gpu = gpu;
    }

    /// Splits to launch: a power of two that covers the positions, so that launches of a decode step
    /// change rarely.
    static int splits(Op.Attend op) {
        int positions = op.position() + op.span().tokens();
        int visible = op.shape().window() == 0
                ? positions
                : Math.min(positions, op.shape().window());
        int needed = Math.ceilDiv(visible, SPLIT);
        return needed == 1 ? 1 : Integer.highestOneBit(needed - 1) * 2;
    }

    /// @param position device address of the first token's position
    /// @param packed where the merged result is to be packed as well, or null
    List<Launch> lower(Op.Attend op, long position, Packing.@Nullable Area packed) {
        int splits = splits(op);
        int heads = op.shape().heads();
        long bytesPerToken = (long) heads * splits * (op.shape().headDim() + 2) * 4;
        int piece = splits == 1 ? 32768 : Math.toIntExact(Math.clamp(PARTIAL_BYTES / bytesPerToken, 1, 32768));
        if (splits > 1 && partial == 0) {
            partial = gpu.allocate(Math.max(PARTIAL_BYTES, bytesPerToken));
        }
        List<Launch> launches = new ArrayList<>();
        for (int token = 0; token < op.span().tokens(); token += piece) {
            int tokens = Math.min(piece, op.span().tokens() - token);
            launches.add(split(op, position, splits, token, tokens));
            if (splits > 1) {
                launches.add(merge(op, position, splits, token, tokens, packed));
            }
        }
        return launches;
    }

    private Launch split(Op.Attend op, long position, int splits, int token, int tokens) {
        int shared = op.shape().heads() / op.shape().kvHeads();
        int quads = quads(op.shape().headDim());
        int together = shared == 1 ? 1 : quads == 8 ? 2 : 4;
        String kernel = "attention_%s_d%d_h%d".formatted(op.keys().type(), quads, together);
        int gridY = op.shape().kvHeads() * Math.ceilDiv(shared, together);
        byte[] arguments = arguments(op, position, splits, token).toBytes();
        return new Launch(kernel, splits, gridY, tokens, arguments);
    }

    /// Fours of elements that each of a team's eight lanes holds of a head.
    private static int quads(int headDim) {
        if (headDim % 4 != 0 || headDim > 256) {
            throw new InvalidInputException(
                    "heads of %d elements cannot run on cuda, only multiples of 4 up to 256: run with --device cpu"
                            .formatted(headDim));
        }
        return headDim <= 32 ? 1 : headDim <= 64 ? 2 : headDim <= 128 ? 4 : 8;
    }

    private Launch merge(
            Op.Attend op, long position, int splits, int token, int tokens, Packing.@Nullable Area packed) {
        Arguments arguments = arguments(op, position, splits, token);
        Launches.addPacked(arguments, packed);
        int width = packed == null ? op.shape().queryWidth() : packed.key().columns();
        int blocks = Math.ceilDiv(Math.ceilDiv(width, CHUNK), CHUNKS_PER_BLOCK);
        return new Launch("attention_merge", blocks, tokens, 1, arguments.toBytes());
    }

    /// Struct Attention of attention.cuh.
    private Arguments arguments(Op.Attend op, long position, int splits, int token) {
        int row = op.span().row();
        int width = op.shape().queryWidth();
        return new Arguments()
                .address(op.q().address(row, width))
                .address(op.keys().address())
                .address(op.values().address())
                .address(op.out().address(row, width))
                .address(partial)
                .address(position)
                .integer(op.shape().heads())
                .integer(op.shape().kvHeads())
                .integer(op.shape().headDim())
                .integer(op.shape().window())
                .integer(splits)
                .number((float) (LOG2_E / Math.sqrt(op.shape().headDim())))
                .integer(token)
                .integer(0);
    }
}
