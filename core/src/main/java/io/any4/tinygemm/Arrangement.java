package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// The order in which kernels meet the columns of a packed row.
///
/// Packed weights are loaded as vectors of ints, so each lane holds `span` consecutive columns and a load covers a
/// block
/// of `LANES * span`. Unpacking yields, step by step, the first column of every lane, then the second, and so on.
/// Instead of reordering the weights, tokens are arranged in that order once per product: vector `n` of a block holds
/// the columns `span * lane + n`. Columns past the end are zero.
///
/// Before the columns of a weight with zeros stand the sums of the token's groups: `y = sum_g zero[g] * sum[g] + ...`.
final class Arrangement {
    final int columns;
    final int groupSize;
    final int groups;
    final int block;
    final int blocks;
    private final int span;
    private final boolean sums;
    private final int lanesPerGroup;
    private final int groupsPerBlock;
    private final int blocksPerGroup;
    private final int[] gather = new int[LANES];
    private final int[] laneGroup = new int[LANES];

    Arrangement(int columns, int span, int groupSize, boolean sums) {
        this.columns = columns;
        this.span = span;
        this.groupSize = groupSize;
        this.sums = sums;
        groups = Math.ceilDiv(columns, groupSize);
        block = span * LANES;
        blocks = Math.ceilDiv(columns, block);
        lanesPerGroup = Math.max(1, groupSize / span);
        blocksPerGroup = groups == 1 ? blocks : Math.max(1, lanesPerGroup / LANES);
        groupsPerBlock = wide() ? 0 : LANES / lanesPerGroup;
        for (int lane = 0; lane < LANES; lane++) {
            gather[lane] = lane * span;
            laneGroup[lane] = wide() ? 0 : lane / lanesPerGroup;
        }
    }

    /// An arrangement without groups.
    static Arrangement ungrouped(int columns, int span) {
        return new Arrangement(columns, span, columns, false);
    }

    /// Whether every lane lies in one group and blocks and groups divide each other.
    static boolean fits(int columns, int span, int groupSize) {
        if (groupSize >= columns) {
            return true;
        }
        int lanes = groupSize / span;
        return groupSize % span == 0 && (lanes % LANES == 0 || LANES % lanes == 0);
    }

    /// Whether all lanes of a block lie in one group.
    boolean wide() {
        return groups == 1 || lanesPerGroup % LANES == 0;
    }

    /// Turns the scales of a row's groups at `scales[at ..]` into scales of its blocks, where blocks are smaller than
    /// groups; leaves them alone where groups are smaller than blocks.
    void spread(float[] scales, int at) {
        if (blocksPerGroup > 1) {
            for (int b = blocks - 1; b >= 0; b--) {
                scales[at + b] = scales[at + b / blocksPerGroup];
            }
        }
    }

    /// The group of each lane, counted from the group of the block's first column.
    IntVector laneGroups() {
        return IntVector.fromArray(INTS, laneGroup, 0);
    }

    /// The scale of each lane of a block, of a row's [#spread] scales at `scales[at ..]`.
    FloatVector scale(float[] scales, int at, int index) {
        if (wide()) {
            return Simd.broadcast(scales[at + index]);
        }
        IntVector loaded = FloatVector.fromArray(FLOATS, scales, at + index * groupsPerBlock)
                .reinterpretAsInts();
        return laneGroups().selectFrom(loaded).reinterpretAsFloats();
    }

    /// Floats that a row's scales take in scratch memory, so that whole vectors can be read from any of them.
    int scaleSpace() {
        return Simd.pad(Math.max(groups, blocks)) + LANES;
    }

    /// Where the columns start, after the group sums.
    int columnsAt() {
        return sums ? Simd.pad(groups) : 0;
    }

    /// Floats of an arranged token.
    int length() {
        return columnsAt() + blocks * block;
    }

    void arrange(float[] x, int offset, float[] out, int target) {
        if (sums) {
            sum(x, offset, out, target);
        }
        arrangeColumns(x, offset, out, target + columnsAt());
    }

    private void arrangeColumns(float[] x, int offset, float[] out, int target) {
        int full = columns / block;
        for (int b = 0; b < full; b++) {
            if (span == 1) {
                FloatVector.fromArray(FLOATS, x, offset + b * block).intoArray(out, target + b * block);
            } else {
                arrangeBlock(x, offset + b * block, out, target + b * block);
            }
        }
        if (full < blocks) {
            arrangeLast(x, offset, out, target, full * block);
        }
    }

    private void arrangeBlock(float[] x, int offset, float[] out, int target) {
        for (int n = 0; n < span; n++) {
            for (int lane = 0; lane < LANES; lane++) {
                out[target + n * LANES + lane] = x[offset + gather[lane] + n];
            }
        }
    }

    private void arrangeLast(float[] x, int offset, float[] out, int target, int first) {
        Arrays.fill(out, target + first, target + first + block, 0f);
        for (int c = first; c < columns; c++) {
            int within = c - first;
            out[target + first + within % span * LANES + within / span] = x[offset + c];
        }
    }

    private void sum(float[] x, int offset, float[] out, int target) {
        for (int g = 0; g < groups; g++) {
            int from = g * groupSize;
            int to = Math.min(columns, from + groupSize);
            out[target + g] = sum(x, offset + from, offset + to);
        }
        Arrays.fill(out, target + groups, target + Simd.pad(groups), 0f);
    }

    private static float sum(float[] x, int from, int to) {
        int bound = from + FLOATS.loopBound(to - from);
        FloatVector total = FloatVector.zero(FLOATS);
        for (int i = from; i < bound; i += LANES) {
            total = total.add(FloatVector.fromArray(FLOATS, x, i));
        }
        float rest = 0;
        for (int i = bound; i < to; i++) {
            rest += x[i];
        }
        return Simd.sum(total) + rest;
    }
}
