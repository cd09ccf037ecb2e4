package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Rounding.ROUNDER;
import static io.any4.tinygemm.Rounding.ZERO;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.any4.machine.ByteShape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Rounds tokens to the bytes that [ByteShape] describes.
///
/// Sums are those of the bytes, so that a product is exactly that of the weight and the rounded token.
final class ByteTokens {
    /// As many bytes as a vector has floats.
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(8 * Math.max(LANES, 8)));

    private final int columns;
    private final int entryColumns;
    private final int entries;
    private final int sumsAt;
    private final int columnsAt;
    private final int bytes;

    ByteTokens(ByteShape shape) {
        columns = shape.columns();
        entryColumns = shape.entryColumns();
        entries = shape.entries();
        sumsAt = shape.sumsAt();
        columnsAt = shape.columnsAt();
        bytes = shape.tokenBytes();
    }

    /// Rounds the token at `x[offset ..]` to memory from byte `at` on.
    void round(float[] x, int offset, MemorySegment out, long at) {
        for (int e = 0; e < entries; e++) {
            int first = e * entryColumns;
            int count = Math.min(entryColumns, columns - first);
            float largest = Rounding.largest(x, offset + first, count);
            float factor = largest == 0 ? 0 : ByteShape.TOKEN_LIMIT / largest;
            float scale = largest / ByteShape.TOKEN_LIMIT;
            int sum = round(x, offset + first, count, factor, out.address() + at + columnsAt + first);
            out.set(Tensor.FLOAT, at + 4L * e, scale);
            out.set(Tensor.FLOAT, at + 4L * e + sumsAt, scale * sum);
        }
        for (long i = (long) columnsAt + columns; i < bytes; i++) {
            out.set(JAVA_BYTE, at + i, (byte) 0);
        }
    }

    /// Writes bytes, and returns their sum.
    private static int round(float[] x, int from, int count, float factor, long at) {
        IntVector sums = IntVector.zero(INTS);
        int i = 0;
        for (; i < FLOATS.loopBound(count); i += LANES) {
            IntVector bits = FloatVector.fromArray(FLOATS, x, from + i)
                    .mul(factor)
                    .add(ROUNDER)
                    .reinterpretAsInts();
            ((ByteVector) bits.convertShape(VectorOperators.I2B, BYTES, 0))
                    .intoMemorySegment(ALL, (at & ADDRESS) + i, ByteOrder.LITTLE_ENDIAN);
            sums = bits.add(sums);
        }
        // what the rounder adds overflows, and is subtracted just so
        int sum = IntVector.zero(INTS).add(sums).reduceLanes(VectorOperators.ADD) - ZERO * i;
        for (; i < count; i++) {
            int bits = Float.floatToRawIntBits(x[from + i] * factor + ROUNDER);
            ALL.set(JAVA_BYTE, (at & ADDRESS) + i, (byte) bits);
            sum += bits - ZERO;
        }
        return sum;
    }
}
