package io.any4.tinygemm;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Softmax attention that reads keys and values once for many queries and holds only a tile of scores at a time
/// (FlashAttention, arXiv 2205.14135).
///
/// A unit of work is a block of tokens and some key-value heads. The queries of its tokens and of all heads
/// that share a key-value head are the rows of small matrix products with [AttentionTile#POSITIONS] keys,
/// then values, at a time. Where there is one block only, as when one token is generated, the positions are
/// shared out too, and what was found in them is merged in a second loop.
///
/// The maximum and sum of a row start afresh every [#PART] positions, counted from the sequence's first, and
/// these parts are merged in order. So a token's result depends neither on how positions are shared out, nor
/// on the number of threads, nor on the tokens beside it.
final class VectorAttention {
    /// Positions of a part.
    private static final int PART = 256;

    /// Rows of a unit: enough that widening keys and values costs little beside the products.
    private static final int ROWS = 32;

    private final Team.Range attending = this::attend;
    private final Team.Range merging = this::merge;
    private final AttentionParts parts = new AttentionParts();

    /// The operation in progress.
    private @Nullable Attention attention;
    /// Tokens of a block, and key-value heads of a unit.
    private int blockTokens;

    private int blocks;
    private int unitHeads;
    private boolean divided;

    void run(Attention a, Team team) {
        attention = a;
        blockTokens = Math.max(1, ROWS / a.share());
        int kvHeads = a.shape().kvHeads();
        blocks = Math.ceilDiv(a.tokens(), blockTokens);
        int count = lastPart(a, a.tokens() - 1) - firstPart(a, 0) + 1;
        divided = blocks == 1 && count > 1;
        if (divided) {
            parts.reserve(
                    count,
                    kvHeads,
                    a.tokens() * a.share(),
                    AttentionUnit.width(a.shape().headDim()));
            // whole rows of the cache are read from first to last where there is work enough without cutting them
            unitHeads = count >= 4 * team.threads() ? kvHeads : 1;
            team.run(kvHeads / unitHeads * count, 1, attending);
            team.run(kvHeads, 1, merging);
        } else {
            unitHeads = 1;
            team.run(blocks * kvHeads, 1, attending);
        }
    }

    private static int firstPart(Attention a, int token) {
        return a.shape().firstVisible(a.firstPosition() + token) / PART;
    }

    private static int lastPart(Attention a, int token) {
        return (a.firstPosition() + token) / PART;
    }

    private void attend(int from, int to) {
        Attention a = Objects.requireNonNull(attention);
        for (int index = from; index < to; index++) {
            if (divided) {
                part(a, index / parts.count * unitHeads, index % parts.count);
            } else {
                whole(
                        a,
                        block(index / a.shape().kvHeads()) * blockTokens,
                        index % a.shape().kvHeads());
            }
        }
    }

    /// The block that comes as number `index`: the last one follows the first, since those that see many
    /// positions and those that see few have to be shared out evenly.
    private int block(int index) {
        return index % 2 == 0 ? index / 2 : blocks - 1 - index / 2;
    }

    /// All tokens in some heads and one part.
    private void part(Attention a, int kvHead, int part) {
        AttentionUnit unit = AttentionUnit.own();
        int start = (firstPart(a, 0) + part) * PART;
        unit.begin(a, 0, a.tokens(), kvHead, unitHeads);
        unit.part(a, start, start + PART);
        unit.leave(parts, part);
    }

    /// The tokens of a block in one head and all parts.
    private void whole(Attention a, int token, int kvHead) {
        AttentionUnit unit = AttentionUnit.own();
        int tokens = Math.min(blockTokens, a.tokens() - token);
        unit.begin(a, token, tokens, kvHead, 1);
        for (int part = firstPart(a, token); part <= lastPart(a, token + tokens - 1); part++) {
            unit.part(a, part * PART, (part + 1) * PART);
            unit.merge();
        }
        unit.finish(a);
    }

    private void merge(int from, int to) {
        Attention a = Objects.requireNonNull(attention);
        for (int kvHead = from; kvHead < to; kvHead++) {
            AttentionUnit unit = AttentionUnit.own();
            unit.begin(a, 0, a.tokens(), kvHead, 1);
            unit.collect(parts);
            unit.finish(a);
        }
    }
}
