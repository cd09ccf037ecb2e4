package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// A table weight with four bits per code, for 512-bit vectors: a block is 64 bytes, 128 columns, eight steps.
final class Lut4Matrix extends LutMatrix {
    static final int BITS = 4;
    private static final int STEPS = 8;

    Lut4Matrix(LutWeight weight, Tensor codes) {
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
    void fused(float[] x, float[] y, float[] scratch, int r0, int r1, int r2, int r3) {
        if (arrangement.wide()) {
            wide(x, y, scratch, r0, r1, r2, r3);
        } else {
            narrow(x, y, scratch, r0, r1, r2, r3);
        }
    }

    /// A block has one scale, which goes into the table.
    private void wide(float[] x, float[] y, float[] scales, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        FloatVector l0 = table(r0);
        FloatVector l1 = table(r1);
        FloatVector l2 = table(r2);
        FloatVector l3 = table(r3);
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        for (int b = 0; b < full; b++) {
            int g = arrangement.group(b);
            IntVector c0 = load(r0 * rowBytes, b);
            IntVector c1 = load(r1 * rowBytes, b);
            IntVector c2 = load(r2 * rowBytes, b);
            IntVector c3 = load(r3 * rowBytes, b);
            IntVector t0 = l0.mul(scales[g]).reinterpretAsInts();
            IntVector t1 = l1.mul(scales[space + g]).reinterpretAsInts();
            IntVector t2 = l2.mul(scales[2 * space + g]).reinterpretAsInts();
            IntVector t3 = l3.mul(scales[3 * space + g]).reinterpretAsInts();
            for (int n = 0; n < STEPS; n++) {
                FloatVector v = FloatVector.fromArray(FLOATS, x, b * STEPS * LANES + n * LANES);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().fma(v, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().fma(v, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().fma(v, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().fma(v, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
                c2 = c2.lanewise(VectorOperators.LSHR, BITS);
                c3 = c3.lanewise(VectorOperators.LSHR, BITS);
            }
        }
        end(x, y, scales, r0, r1, r2, r3, a0, a1, a2, a3);
    }

    /// The lanes of a block have scales of their own, which multiply what the lookup yields.
    private void narrow(float[] x, float[] y, float[] scales, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        IntVector t0 = table(r0).reinterpretAsInts();
        IntVector t1 = table(r1).reinterpretAsInts();
        IntVector t2 = table(r2).reinterpretAsInts();
        IntVector t3 = table(r3).reinterpretAsInts();
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        for (int b = 0; b < full; b++) {
            IntVector c0 = load(r0 * rowBytes, b);
            IntVector c1 = load(r1 * rowBytes, b);
            IntVector c2 = load(r2 * rowBytes, b);
            IntVector c3 = load(r3 * rowBytes, b);
            FloatVector s0 = arrangement.scale(scales, 0, b);
            FloatVector s1 = arrangement.scale(scales, space, b);
            FloatVector s2 = arrangement.scale(scales, 2 * space, b);
            FloatVector s3 = arrangement.scale(scales, 3 * space, b);
            for (int n = 0; n < STEPS; n++) {
                FloatVector v = FloatVector.fromArray(FLOATS, x, b * STEPS * LANES + n * LANES);
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
        end(x, y, scales, r0, r1, r2, r3, a0, a1, a2, a3);
    }

    private void end(
            float[] x,
            float[] y,
            float[] scales,
            int r0,
            int r1,
            int r2,
            int r3,
            FloatVector a0,
            FloatVector a1,
            FloatVector a2,
            FloatVector a3) {
        int space = arrangement.scaleSpace();
        finish(
                x,
                y,
                scales,
                r0,
                r1,
                r2,
                r3,
                last(x, scales, 0, r0, a0),
                last(x, scales, space, r1, a1),
                last(x, scales, 2 * space, r2, a2),
                last(x, scales, 3 * space, r3, a3));
    }

    /// The part of a row after its last whole block.
    private FloatVector last(float[] x, float[] scales, int scalesAt, int row, FloatVector sum) {
        if (full == arrangement.blocks) {
            return sum;
        }
        IntVector c = loadLast(row * rowBytes);
        IntVector table = table(row).reinterpretAsInts();
        FloatVector s = arrangement.scale(scales, scalesAt, full);
        FloatVector a = sum;
        for (int n = 0; n < STEPS; n++) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, (full * STEPS + n) * LANES);
            a = c.selectFrom(table).reinterpretAsFloats().mul(s).fma(v, a);
            c = c.lanewise(VectorOperators.LSHR, BITS);
        }
        return a;
    }
}
