package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.RowShape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Rounds tokens to the integers that [RowShape] describes.
///
/// Sums are those of the integers, so that a product is exactly that of the weight and the rounded token.
final class IntegerTokens {
    private final int columns;
    private final int block;
    private final int blocks;
    private final int entriesPerBlock;
    private final int entryColumns;
    private final int sumsAt;
    private final int columnsAt;
    private final int blockBytes;
    /// The column of each integer in a block.
    private final int[] order;

    IntegerTokens(RowShape shape, IntegerPrograms programs) {
        columns = shape.columns();
        block = shape.block();
        blocks = shape.blocks();
        entriesPerBlock = shape.entriesPerBlock();
        entryColumns = shape.entryColumns();
        sumsAt = shape.sumsAt();
        columnsAt = shape.columnsAt();
        blockBytes = shape.tokenBlockBytes();
        order = new int[block];
        Arrays.setAll(order, programs::column);
    }

    /// Rounds the token at `x[offset ..]` to memory from byte `at` on.
    void round(float[] x, int offset, MemorySegment out, long at) {
        int[] bits = Scratch.ints(block);
        for (int i = 0; i < columnsAt; i += 4) {
            out.set(Tensor.INT, at + i, 0);
        }
        for (int b = 0; b < blocks; b++) {
            int first = b * block;
            int count = Math.min(block, columns - first);
            float largest = Rounding.largest(x, offset + first, count);
            Rounding.round(x, offset + first, count, largest == 0 ? 0 : RowShape.TOKEN_LIMIT / largest, bits);
            Arrays.fill(bits, count, block, Rounding.ZERO);
            putColumns(bits, out.address() + at + columnsAt + (long) b * blockBytes);
            putSides(bits, b, largest / RowShape.TOKEN_LIMIT, out, at);
        }
    }

    private void putColumns(int[] bits, long at) {
        int[] from = order;
        for (int i = 0; i < from.length; i += 2) {
            int pair = bits[from[i]] & 0xffff | bits[from[i + 1]] << 16;
            ALL.set(Tensor.INT, (at & ADDRESS) + 2L * i, pair);
        }
    }

    private void putSides(int[] bits, int block, float scale, MemorySegment out, long at) {
        for (int i = 0; i < entriesPerBlock; i++) {
            float sum = scale * Rounding.sum(bits, i * entryColumns, entryColumns);
            long entry = at + 4L * (block * entriesPerBlock + i);
            out.set(Tensor.FLOAT, entry, scale);
            out.set(Tensor.FLOAT, entry + sumsAt, sum);
        }
    }
}
