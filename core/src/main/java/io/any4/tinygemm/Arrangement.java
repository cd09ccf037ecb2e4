package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// The order in which kernels meet the columns of a packed row.
///
/// Packed weights are loaded as vectors of ints, so each lane holds `span` consecutive columns and a load
/// covers a block of `LANES * span`. Unpacking yields, step by step, the first column of every lane, then the
/// second, and so on. Instead of reordering the weights, tokens are arranged in that order once per product:
/// vector `n` of a block holds the columns `span * lane + n`. Columns past the end are zero.
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
    private final boolean wide;
    private final int groupsPerBlock;
    private final int blocksPerGroup;
    private final int[] gather = new int[LANES];
    private final int[] laneScale = new int[LANES];

    Arrangement(int columns, int span, int groupSize, boolean sums) {
        this.columns = columns;
        this.span = span;
        this.groupSize = groupSize;
        this.sums = sums;
        groups = Math.ceilDiv(columns, groupSize);
        block = span * LANES;
        blocks = Math.ceilDiv(columns, block);
        int lanesPerGroup = Math.max(1, groupSize / span);
        wide = groups == 1 || lanesPerGroup % LANES == 0;
        blocksPerGroup = groups == 1 ? blocks : Math.max(1, lanesPerGroup / LANES);
        groupsPerBlock = wide ? 0 : LANES / lanesPerGroup;
        for (int lane = 0; lane < LANES; lane++) {
            gather[lane] = lane * span;
            laneScale[lane] = wide ? 0 : lane / lanesPerGroup;
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
        return wide;
    }

    /// The group of a block's first lane.
    int groupOf(int block) {
        return wide ? block / blocksPerGroup : block * groupsPerBlock;
    }

    /// Scales that a block's lanes take from: one where all lie in one group, otherwise one for each group.
    int scalesPerBlock() {
        return wide ? 1 : groupsPerBlock;
    }

    /// Which of a block's scales each lane takes.
    IntVector laneScales() {
        return IntVector.fromArray(INTS, laneScale, 0);
    }

    /// Writes the scales of a row's blocks, at address `scales`, to `out` as scales of its lanes, a vector for each
    /// block.
    void spread(long scales, float[] out) {
        IntVector lanes = laneScales();
        for (int b = 0; b < blocks; b++) {
            long at = scales + 4L * b * scalesPerBlock();
            IntVector loaded = IntVector.fromMemorySegment(INTS, ALL, at & ADDRESS, ORDER);
            lanes.selectFrom(loaded).reinterpretAsFloats().intoArray(out, b * LANES);
        }
    }

    /// Where the columns start, after the group sums.
    int columnsAt() {
        return sums ? Simd.pad(groups) : 0;
    }

    /// Floats of an arranged token.
    int length() {
        return columnsAt() + blocks * block;
    }

    void arrange(float[] x, int offset, MemorySegment out, long target) {
        if (sums) {
            sum(x, offset, out, target);
        }
        arrangeColumns(x, offset, out, target + columnsAt());
    }

    private void arrangeColumns(float[] x, int offset, MemorySegment out, long target) {
        int full = columns / block;
        for (int b = 0; b < full; b++) {
            if (span == 1) {
                FloatVector.fromArray(FLOATS, x, offset + b * block)
                        .intoMemorySegment(out, 4 * (target + (long) b * block), ORDER);
            } else if (Simd.BITS > 128) {
                gatherBlock(x, offset + b * block, out, target + (long) b * block);
            } else {
                arrangeBlock(x, offset + b * block, out, target + (long) b * block, block);
            }
        }
        if (full < blocks) {
            long last = target + (long) full * block;
            for (int i = 0; i < block; i += LANES) {
                FloatVector.zero(FLOATS).intoMemorySegment(out, 4 * (last + i), ORDER);
            }
            arrangeBlock(x, offset + full * block, out, last, columns - full * block);
        }
    }

    private void gatherBlock(float[] x, int offset, MemorySegment out, long target) {
        for (int n = 0; n < span; n++) {
            FloatVector.fromArray(FLOATS, x, offset + n, gather, 0)
                    .intoMemorySegment(out, 4 * (target + (long) n * LANES), ORDER);
        }
    }

    private void arrangeBlock(float[] x, int offset, MemorySegment out, long target, int count) {
        for (int c = 0; c < count; c++) {
            out.setAtIndex(JAVA_FLOAT, target + c % span * LANES + c / span, x[offset + c]);
        }
    }

    private void sum(float[] x, int offset, MemorySegment out, long target) {
        for (int g = groups; g < columnsAt(); g++) {
            out.setAtIndex(JAVA_FLOAT, target + g, 0);
        }
        for (int g = 0; g < groups; g++) {
            int from = g * groupSize;
            int to = Math.min(columns, from + groupSize);
            out.setAtIndex(JAVA_FLOAT, target + g, sum(x, offset + from, offset + to));
        }
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
        float[] lanes = Scratch.floats(LANES);
        total.intoArray(lanes, 0);
        return Simd.sum(lanes) + rest;
    }
}
