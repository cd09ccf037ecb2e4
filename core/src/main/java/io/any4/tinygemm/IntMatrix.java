package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.DType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// An 8-bit integer matrix: every int lane holds four columns.
final class IntMatrix extends GroupedMatrix {
    static final int SPAN = 4;
    private static final int BLOCK_BYTES = SPAN * LANES;
    private static final long VECTOR_BYTES = 4L * LANES;

    private final boolean signed;

    IntMatrix(IntWeight weight) {
        super(
                weight,
                weight.codes(),
                weight.scale(),
                weight.zero(),
                new Arrangement(weight.columns(), SPAN, weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES);
        signed = weight.codes().dtype() == DType.I8;
    }

    static boolean fits(IntWeight weight) {
        return Arrangement.fits(weight.columns(), SPAN, weight.groupSize());
    }

    @Override
    void decodeCodes(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        MemorySegment out = panel.asSlice(at + SPAN * VECTOR_BYTES * first);
        long bytes = memory.byteSize();
        for (long in = 0; in < bytes; in += BLOCK_BYTES) {
            IntVector c = IntVector.fromMemorySegment(INTS, memory, in, ORDER);
            FloatVector s = FloatVector.fromArray(FLOATS, scales, (first + (int) (in / BLOCK_BYTES)) * LANES);
            for (int n = 0; n < SPAN; n++) {
                IntVector top = c.lanewise(VectorOperators.LSHL, 24);
                IntVector value =
                        signed ? top.lanewise(VectorOperators.ASHR, 24) : top.lanewise(VectorOperators.LSHR, 24);
                FloatVector w = (FloatVector) value.convert(VectorOperators.I2F, 0);
                w.mul(s).intoMemorySegment(out, in * SPAN + n * VECTOR_BYTES, ORDER);
                c = c.lanewise(VectorOperators.LSHR, 8);
            }
        }
    }
}
