package io.any4.tinygemm;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// What all weights with codes, group scales and zeros have in common.
///
/// A row's zeros stand where arranged tokens have their group sums, so that the zeros' share of a product is the first
/// stretch of the same dot product.
abstract class GroupedMatrix extends VectorMatrix {
    final Arrangement arrangement;
    final MemorySegment codes;
    final long rowBytes;
    final Metadata scale;
    final @Nullable Metadata zero;
    /// Blocks that can be loaded whole.
    final int full;

    GroupedMatrix(
            Weight weight, Tensor codes, Tensor scale, @Nullable Tensor zero, Arrangement arrangement, int blockBytes) {
        super(weight);
        Tensor packed = OffHeap.view(codes);
        this.arrangement = arrangement;
        this.codes = packed.data();
        this.rowBytes = packed.columns();
        this.scale = new Metadata(scale, arrangement.groups);
        this.zero = zero == null ? null : new Metadata(zero, arrangement.groups);
        this.full = (int) (rowBytes / blockBytes);
    }

    @Override
    public final int arrangedLength() {
        return arrangement.length();
    }

    @Override
    public final void arrange(float[] x, int offset, float[] arranged, int target) {
        arrangement.arrange(x, offset, arranged, target);
    }

    @Override
    final int decodeSpace() {
        return arrangement.scaleSpace();
    }

    @Override
    final void decode(int row, float[] panel, int at, int spare) {
        if (zero != null) {
            zero.widenRow(row, panel, at);
        }
        widenScales(row, panel, spare);
        decodeCodes(row, panel, at + arrangement.columnsAt(), spare);
    }

    /// Writes a row's scales to `out[at ..]`, spread over its blocks.
    final void widenScales(int row, float[] out, int at) {
        scale.widenRow(row, out, at);
        arrangement.spread(out, at);
    }

    /// Writes the scaled codes of a row whose scales stand at `panel[scales ..]`.
    abstract void decodeCodes(int row, float[] panel, int at, int scales);
}
