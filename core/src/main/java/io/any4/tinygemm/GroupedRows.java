package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;

import io.any4.machine.Pages;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// The rows of a grouped weight, copied once into the form in which kernels read them.
///
/// A row starts on a cache line with its table, if rows have tables of their own. Then come its zeros, one
/// per group and filled up with zeros to whole vectors; the scales of its blocks; and, on a cache line again,
/// its codes, filled up with zeros to whole blocks. Tables, zeros and scales are floats. So whatever a kernel
/// needs of a row is one stream, which the processor fetches ahead; scales and tables that lie elsewhere are
/// waited for at the start of each row.
final class GroupedRows {
    private static final int LINE = 64;
    private static final int ROWS_AT_ONCE = 16;

    private final Arrangement arrangement;
    private final boolean hasZeros;
    private final long zerosAt;
    private final long scalesAt;
    private final long codesAt;
    private final long rowBytes;
    private final MemorySegment memory;
    /// That of the memory, which compiled code should not have to ask for.
    private final long address;

    /// @param tables `[rows, n]` floats for any n; of no length if rows have no tables of their own
    /// @param blockBytes bytes of codes in a block of columns
    GroupedRows(
            Tensor codes,
            Tensor scale,
            @Nullable Tensor zero,
            float[] tables,
            Arrangement arrangement,
            int blockBytes,
            Team team) {
        this.arrangement = arrangement;
        int rows = Math.toIntExact(codes.rows());
        int tableFloats = tables.length / rows;
        hasZeros = zero != null;
        zerosAt = 4L * tableFloats;
        scalesAt = zerosAt + 4L * arrangement.columnsAt();
        codesAt = lines(scalesAt + 4L * arrangement.blocks * arrangement.scalesPerBlock());
        rowBytes = lines(codesAt + (long) arrangement.blocks * blockBytes);
        // a vector of scales may be loaded from where there is only one left
        memory = Pages.allocate(rowBytes * rows + LINE);
        address = memory.address();
        team.run(rows, ROWS_AT_ONCE, (from, to) -> {
            float[] groups = new float[arrangement.groups];
            for (int row = from; row < to; row++) {
                long at = rowBytes * row;
                MemorySegment.copy(tables, row * tableFloats, memory, Tensor.FLOAT, at, tableFloats);
                if (zero != null) {
                    zero.copyRow(row, groups, 0);
                    MemorySegment.copy(groups, 0, memory, Tensor.FLOAT, at + zerosAt, groups.length);
                }
                scale.copyRow(row, groups, 0);
                putScales(groups, at + scalesAt);
                MemorySegment.copy(codes.data(), codes.columns() * row, memory, at + codesAt, codes.columns());
            }
        });
    }

    private static long lines(long bytes) {
        return Math.ceilDiv(bytes, LINE) * LINE;
    }

    private void putScales(float[] groups, long at) {
        int each = arrangement.scalesPerBlock();
        for (int b = 0; b < arrangement.blocks; b++) {
            for (int i = 0; i < each; i++) {
                int group = Math.min(arrangement.groupOf(b) + i, arrangement.groups - 1);
                memory.set(Tensor.FLOAT, at + 4L * (b * each + i), groups[group]);
            }
        }
    }

    /// The address of a row, where its table is.
    long table(int row) {
        return address + rowBytes * row;
    }

    /// The address of a row's scales: of one for each block, or of one for each of its groups in a block.
    long scales(int row) {
        return address + rowBytes * row + scalesAt;
    }

    /// The address of a row's codes.
    long codes(int row) {
        return address + rowBytes * row + codesAt;
    }

    /// Writes a row's scales as they multiply a block's lanes, a vector for each block, to `out`.
    void spread(int row, float[] out) {
        arrangement.spread(scales(row), out);
    }

    /// Writes a row's zeros, in whole vectors, to address `out`.
    void copyZeros(int row, long out) {
        if (hasZeros) {
            MemorySegment.copy(memory, rowBytes * row + zerosAt, ALL, out, 4L * arrangement.columnsAt());
        }
    }

    /// Starts the sums of the four rows `min(r + i * stride, last)`, a vector each at address `sums`, with
    /// the zeros' share: zeros times the group sums at address `x`.
    void start(long x, long sums, int r, int stride, int last) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        if (hasZeros) {
            long z0 = table(r) + zerosAt;
            long z1 = table(Math.min(r + stride, last)) + zerosAt;
            long z2 = table(Math.min(r + 2 * stride, last)) + zerosAt;
            long z3 = table(Math.min(r + 3 * stride, last)) + zerosAt;
            long bytes = 4L * arrangement.columnsAt();
            for (long i = 0; i < bytes; i += VECTOR_BYTES) {
                FloatVector g = FloatVector.fromMemorySegment(FLOATS, ALL, (x + i) & ADDRESS, ORDER);
                a0 = FloatVector.fromMemorySegment(FLOATS, ALL, (z0 + i) & ADDRESS, ORDER)
                        .fma(g, a0);
                a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (z1 + i) & ADDRESS, ORDER)
                        .fma(g, a1);
                a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (z2 + i) & ADDRESS, ORDER)
                        .fma(g, a2);
                a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (z3 + i) & ADDRESS, ORDER)
                        .fma(g, a3);
            }
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
