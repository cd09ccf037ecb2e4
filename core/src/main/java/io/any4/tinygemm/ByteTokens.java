package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.machine.ByteShape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Rounds tokens to the bytes that [ByteShape] describes.
///
/// Sums are those of the bytes, so that a product is exactly that of the weight and the rounded token.
final class ByteTokens {
    /// As many bytes as a vector has floats, of which programs of bytes need eight at least.
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Byte.SIZE * LANES));

    private final int columns;
    private final int entryColumns;
    private final int entries;
    private final int sumsAt;
    private final int columnsAt;

    ByteTokens(ByteShape shape) {
        columns = shape.columns();
        entryColumns = shape.entryColumns();
        entries = shape.entries();
        sumsAt = shape.sumsAt();
        columnsAt = shape.columnsAt();
    }

    /// Rounds the token at `x[offset ..]` to memory from byte `at` on.
    void round(float[] x, int offset, MemorySegment out, long at) {
        int[] bits = Scratch.ints(entryColumns);
        for (int e = 0; e < entries; e++) {
            int first = e * entryColumns;
            int count = Math.min(entryColumns, columns - first);
            float largest = Rounding.largest(x, offset + first, count);
            float scale = largest / ByteShape.TOKEN_LIMIT;
            Rounding.round(x, offset + first, count, largest == 0 ? 0 : ByteShape.TOKEN_LIMIT / largest, bits);
            Arrays.fill(bits, count, entryColumns, Rounding.ZERO);
            putColumns(bits, out.address() + at + columnsAt + first);
            out.set(Tensor.FLOAT, at + 4L * e, scale);
            out.set(Tensor.FLOAT, at + 4L * e + sumsAt, scale * Rounding.sum(bits, 0, entryColumns));
        }
    }

    private void putColumns(int[] bits, long at) {
        for (int i = 0; i < entryColumns; i += LANES) {
            ((ByteVector) IntVector.fromArray(INTS, bits, i).convertShape(VectorOperators.I2B, BYTES, 0))
                    .intoMemorySegment(ALL, (at & ADDRESS) + i, ByteOrder.LITTLE_ENDIAN);
        }
    }
}
