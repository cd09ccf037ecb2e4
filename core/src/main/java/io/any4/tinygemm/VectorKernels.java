package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/// Kernels of the Vector API, for the width that [Simd] has chosen.
final class VectorKernels implements Kernels {
    @Override
    public String name() {
        return "vector " + Simd.BITS + " bit";
    }

    @Override
    public CpuMatrix prepare(Weight weight, Team team) {
        return switch (weight) {
            case DenseWeight dense -> new DenseMatrix(dense);
            case IntWeight integers when IntMatrix.fits(integers) -> new IntMatrix(integers);
            case LutWeight lut -> table(lut, team);
            case IntWeight integers -> new GenericMatrix(integers);
        };
    }

    private static CpuMatrix table(LutWeight weight, Team team) {
        int bits = LutCodes.bits(weight);
        if (LutMatrix.fits(weight, bits)) {
            Tensor codes = LutCodes.unpackable(weight, team);
            return bits == Lut2Matrix.BITS ? new Lut2Matrix(weight, codes) : new Lut4Matrix(weight, codes);
        }
        if (PlaneMatrix.fits(weight, bits)) {
            return PlaneMatrix.of(weight, LutCodes.unpackable(weight, team), bits);
        }
        return new GenericMatrix(weight);
    }

    @Override
    public void add(float[] x, float[] y, int from, int to) {
        int i = from;
        for (int bound = from + FLOATS.loopBound(to - from); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i)
                    .add(FloatVector.fromArray(FLOATS, y, i))
                    .intoArray(x, i);
        }
        for (; i < to; i++) {
            x[i] += y[i];
        }
    }

    @Override
    public void rmsNorm(float[] x, float[] gain, float epsilon, int width, float[] out, int from, int to) {
        for (int row = from; row < to; row++) {
            int at = row * width;
            float factor = (float) (1 / Math.sqrt((double) squares(x, at, width) / width + epsilon));
            int i = 0;
            for (; i < FLOATS.loopBound(width); i += LANES) {
                FloatVector scaled = FloatVector.fromArray(FLOATS, x, at + i).mul(factor);
                scaled.mul(FloatVector.fromArray(FLOATS, gain, i)).intoArray(out, at + i);
            }
            for (; i < width; i++) {
                out[at + i] = x[at + i] * factor * gain[i];
            }
        }
    }

    private static float squares(float[] x, int at, int width) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i < FLOATS.loopBound(width); i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
            sum = v.fma(v, sum);
        }
        float rest = 0;
        for (; i < width; i++) {
            rest = Math.fma(x[at + i], x[at + i], rest);
        }
        return Simd.sum(sum) + rest;
    }

    @Override
    public void swiglu(float[] gate, float[] up, float[] out, int from, int to) {
        int i = from;
        for (int bound = from + FLOATS.loopBound(to - from); i < bound; i += LANES) {
            silu(FloatVector.fromArray(FLOATS, gate, i))
                    .mul(FloatVector.fromArray(FLOATS, up, i))
                    .intoArray(out, i);
        }
        if (i < to) {
            var rest = FLOATS.indexInRange(i, to);
            silu(FloatVector.fromArray(FLOATS, gate, i, rest))
                    .mul(FloatVector.fromArray(FLOATS, up, i, rest))
                    .intoArray(out, i, rest);
        }
    }

    private static FloatVector silu(FloatVector x) {
        return x.div(Simd.exp(x.neg()).add(1f));
    }

    @Override
    public void rotate(float[] x, int offset, float[] cos, float[] sin, int half) {
        int i = 0;
        for (; i < FLOATS.loopBound(half); i += LANES) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, offset + i);
            FloatVector b = FloatVector.fromArray(FLOATS, x, offset + half + i);
            FloatVector c = FloatVector.fromArray(FLOATS, cos, i);
            FloatVector s = FloatVector.fromArray(FLOATS, sin, i);
            a.mul(c).sub(b.mul(s)).intoArray(x, offset + i);
            b.mul(c).add(a.mul(s)).intoArray(x, offset + half + i);
        }
        for (; i < half; i++) {
            float a = x[offset + i];
            float b = x[offset + half + i];
            x[offset + i] = a * cos[i] - b * sin[i];
            x[offset + half + i] = b * cos[i] + a * sin[i];
        }
    }

    @Override
    public void attention(Attention attention, int from, int to) {
        if (attention.keys() instanceof CpuBuffer && attention.values() instanceof CpuBuffer) {
            VectorAttention.run(attention, from, to);
        } else {
            new ScalarKernels().attention(attention, from, to);
        }
    }
}
