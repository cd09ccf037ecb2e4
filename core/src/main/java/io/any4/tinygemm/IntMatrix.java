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
final class IntMatrix extends FusedMatrix {
    static final int SPAN = 4;
    private static final int BLOCK_BYTES = SPAN * LANES;
    private static final long VECTOR_BYTES = 4L * LANES;

    /// Not final, so that the compiler does not know the step of the inner loop and leaves it as it is.
    private static long vectorBytes = VECTOR_BYTES;

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

    @Override
    void addBlocks(MemorySegment x, float[] scratch, boolean end, int r, int stride, int last) {
        int space = arrangement.scaleSpace();
        int sums = ROWS * space;
        FloatVector a0 = FloatVector.fromArray(FLOATS, scratch, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, scratch, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, scratch, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, scratch, sums + 3 * LANES);
        MemorySegment memory = codes.memory(end);
        long w0 = codes.start(r, end);
        long w1 = codes.start(Math.min(r + stride, last), end);
        long w2 = codes.start(Math.min(r + 2 * stride, last), end);
        long w3 = codes.start(Math.min(r + 3 * stride, last), end);
        int first = codes.first(end);
        int blocks = codes.count(end);
        MemorySegment v = x.asSlice(4L * arrangement.columnsAt() + SPAN * VECTOR_BYTES * first);
        // what is below zero in a signed byte is flipped up and taken off again as a float
        IntVector flip = IntVector.broadcast(INTS, signed ? 0x80808080 : 0);
        FloatVector offset = FloatVector.broadcast(FLOATS, signed ? 128f : 0f);
        long step = vectorBytes;
        for (int block = 0; block < blocks; block++) {
            long at = (long) block * BLOCK_BYTES;
            IntVector c0 =
                    IntVector.fromMemorySegment(INTS, memory, w0 + at, ORDER).lanewise(VectorOperators.XOR, flip);
            IntVector c1 =
                    IntVector.fromMemorySegment(INTS, memory, w1 + at, ORDER).lanewise(VectorOperators.XOR, flip);
            IntVector c2 =
                    IntVector.fromMemorySegment(INTS, memory, w2 + at, ORDER).lanewise(VectorOperators.XOR, flip);
            IntVector c3 =
                    IntVector.fromMemorySegment(INTS, memory, w3 + at, ORDER).lanewise(VectorOperators.XOR, flip);
            int s = (first + block) * LANES;
            FloatVector s0 = FloatVector.fromArray(FLOATS, scratch, s);
            FloatVector s1 = FloatVector.fromArray(FLOATS, scratch, s + space);
            FloatVector s2 = FloatVector.fromArray(FLOATS, scratch, s + 2 * space);
            FloatVector s3 = FloatVector.fromArray(FLOATS, scratch, s + 3 * space);
            MemorySegment u = v.asSlice(at * SPAN, SPAN * VECTOR_BYTES);
            for (long i = 0; i < SPAN * VECTOR_BYTES; i += step) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, u, i, ORDER);
                a0 = ((FloatVector) c0.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(s0)
                        .fma(f, a0);
                a1 = ((FloatVector) c1.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(s1)
                        .fma(f, a1);
                a2 = ((FloatVector) c2.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(s2)
                        .fma(f, a2);
                a3 = ((FloatVector) c3.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(s3)
                        .fma(f, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, 8);
                c1 = c1.lanewise(VectorOperators.LSHR, 8);
                c2 = c2.lanewise(VectorOperators.LSHR, 8);
                c3 = c3.lanewise(VectorOperators.LSHR, 8);
            }
        }
        a0.intoArray(scratch, sums);
        a1.intoArray(scratch, sums + LANES);
        a2.intoArray(scratch, sums + 2 * LANES);
        a3.intoArray(scratch, sums + 3 * LANES);
    }
}
