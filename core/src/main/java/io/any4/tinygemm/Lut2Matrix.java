package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// A table weight with two bits per code, for 512-bit vectors: a block is 64 bytes, 256 columns, sixteen steps.
final class Lut2Matrix extends LutMatrix {
    static final int BITS = 2;
    private static final int STEPS = 16;

    Lut2Matrix(LutWeight weight, Tensor codes) {
        super(weight, codes, BITS);
    }

    @Override
    void decodeBlock(IntVector codes, IntVector table, FloatVector scale, float[] panel, int at) {
        IntVector c = codes;
        for (int n = 0; n < STEPS; n++) {
            c.selectFrom(table).reinterpretAsFloats().mul(scale).intoArray(panel, at + n * LANES);
            c = c.lanewise(VectorOperators.LSHR, BITS);
        }
    }

    @Override
    void addBlocks(float[] x, float[] scratch, int sums, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        IntVector t0 = table(r0).reinterpretAsInts();
        IntVector t1 = table(r1).reinterpretAsInts();
        IntVector t2 = table(r2).reinterpretAsInts();
        IntVector t3 = table(r3).reinterpretAsInts();
        FloatVector a0 = FloatVector.fromArray(FLOATS, scratch, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, scratch, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, scratch, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, scratch, sums + 3 * LANES);
        long o0 = r0 * rowBytes;
        long o1 = r1 * rowBytes;
        long o2 = r2 * rowBytes;
        long o3 = r3 * rowBytes;
        int columnsAt = arrangement.columnsAt();
        int whole = full;
        for (int b = 0; b < whole; b++) {
            IntVector c0 = load(o0, b);
            IntVector c1 = load(o1, b);
            IntVector c2 = load(o2, b);
            IntVector c3 = load(o3, b);
            FloatVector s0 = arrangement.scale(scratch, 0, b);
            FloatVector s1 = arrangement.scale(scratch, space, b);
            FloatVector s2 = arrangement.scale(scratch, 2 * space, b);
            FloatVector s3 = arrangement.scale(scratch, 3 * space, b);
            int at = columnsAt + b * STEPS * LANES;
            for (int n = 0; n < STEPS; n++) {
                FloatVector v = FloatVector.fromArray(FLOATS, x, at + n * LANES);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().mul(s0).fma(v, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().mul(s1).fma(v, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().mul(s2).fma(v, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().mul(s3).fma(v, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
                c2 = c2.lanewise(VectorOperators.LSHR, BITS);
                c3 = c3.lanewise(VectorOperators.LSHR, BITS);
            }
        }
        a0.intoArray(scratch, sums);
        a1.intoArray(scratch, sums + LANES);
        a2.intoArray(scratch, sums + 2 * LANES);
        a3.intoArray(scratch, sums + 3 * LANES);
    }

    @Override
    void addLast(float[] x, float[] scratch, int scales, int sumAt, int row) {
        IntVector c = loadLast(row * rowBytes);
        IntVector table = table(row).reinterpretAsInts();
        FloatVector s = arrangement.scale(scratch, scales, full);
        int at = arrangement.columnsAt() + full * STEPS * LANES;
        FloatVector a = FloatVector.fromArray(FLOATS, scratch, sumAt);
        for (int n = 0; n < STEPS; n++) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + n * LANES);
            a = c.selectFrom(table).reinterpretAsFloats().mul(s).fma(v, a);
            c = c.lanewise(VectorOperators.LSHR, BITS);
        }
        a.intoArray(scratch, sumAt);
    }
}
