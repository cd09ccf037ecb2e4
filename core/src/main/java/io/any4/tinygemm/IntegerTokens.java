package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.RowShape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Rounds tokens to the integers that [RowShape] describes.
///
/// Sums are those of the integers, so that a product is exactly that of the weight and the rounded token.
final class IntegerTokens {
    /// Added to a float of less than 2^22, it leaves the nearest integer in the lower bits.
    private static final float ROUNDER = 0x1.8p23f;

    private final RowShape shape;
    /// The column of each integer in a block.
    private final int[] order;

    IntegerTokens(RowShape shape, IntegerPrograms programs) {
        this.shape = shape;
        order = new int[shape.block()];
        Arrays.setAll(order, programs::column);
    }

    /// Rounds the token at `x[offset ..]` to memory from byte `at` on.
    void round(float[] x, int offset, MemorySegment out, long at) {
        int block = shape.block();
        int[] bits = Scratch.ints(block);
        for (int b = 0; b < shape.blocks(); b++) {
            int count = Math.min(block, shape.columns() - b * block);
            float largest = largest(x, offset + b * block, count);
            round(x, offset + b * block, count, largest == 0 ? 0 : RowShape.TOKEN_LIMIT / largest, bits);
            Arrays.fill(bits, count, block, 0);
            putColumns(bits, out, at + shape.columnsAt() + (long) b * shape.tokenBlockBytes());
            putSides(bits, b, largest / RowShape.TOKEN_LIMIT, out, at);
        }
        long used = 4L * shape.entries();
        out.asSlice(at + used, shape.sumsAt() - used).fill((byte) 0);
        out.asSlice(at + shape.sumsAt() + used, shape.columnsAt() - shape.sumsAt() - used)
                .fill((byte) 0);
    }

    private static float largest(float[] x, int from, int count) {
        FloatVector largest = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i < FLOATS.loopBound(count); i += LANES) {
            largest = FloatVector.fromArray(FLOATS, x, from + i).abs().max(largest);
        }
        float all = FloatVector.zero(FLOATS).max(largest).reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            all = Math.max(all, Math.abs(x[from + i]));
        }
        return all;
    }

    /// Leaves integers in the lower 16 bits.
    private static void round(float[] x, int from, int count, float factor, int[] bits) {
        int i = 0;
        for (; i < FLOATS.loopBound(count); i += LANES) {
            FloatVector.fromArray(FLOATS, x, from + i)
                    .mul(factor)
                    .add(ROUNDER)
                    .reinterpretAsInts()
                    .intoArray(bits, i);
        }
        for (; i < count; i++) {
            bits[i] = Float.floatToRawIntBits(x[from + i] * factor + ROUNDER);
        }
    }

    private void putColumns(int[] bits, MemorySegment out, long at) {
        for (int i = 0; i < order.length; i += 2) {
            int pair = bits[order[i]] & 0xffff | bits[order[i + 1]] << 16;
            out.set(Tensor.INT, at + 2L * i, pair);
        }
    }

    private void putSides(int[] bits, int block, float scale, MemorySegment out, long at) {
        int columns = shape.entryColumns();
        for (int i = 0; i < shape.entriesPerBlock(); i++) {
            int sum = 0;
            for (int c = i * columns; c < (i + 1) * columns; c++) {
                sum += (short) bits[c];
            }
            long entry = 4L * (block * shape.entriesPerBlock() + i);
            out.set(Tensor.FLOAT, at + entry, scale);
            out.set(Tensor.FLOAT, at + shape.sumsAt() + entry, scale * sum);
        }
    }
}
