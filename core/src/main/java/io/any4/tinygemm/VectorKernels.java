package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.machine.ByteShape;
import io.any4.machine.Isa;
import io.any4.machine.RowShape;
import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/// Kernels of the Vector API, for the width that [Simd] has chosen.
final class VectorKernels implements Kernels {
    /// Numbers that stay in the first-level cache beside their exponentials.
    private static final int EXP_BLOCK = 1024;

    private final VectorAttention attention = new VectorAttention();
    private final Activations activations;

    VectorKernels(Activations activations) {
        this.activations = activations;
    }

    @Override
    public String name() {
        return "vector " + Simd.BITS + " bit";
    }

    /// How entries of tables are looked up, as follows from the width.
    static String lookup() {
        return switch (LANES) {
            case 16 -> "a table of 16 floats is one register and a lookup one permutation";
            case 8 -> "a table of 16 floats is two registers and a lookup two permutations";
            default -> "tables are looked up by shuffles of 16 bytes";
        };
    }

    @Override
    public CpuMatrix prepare(Weight weight, Team team) {
        return switch (weight) {
            case DenseWeight dense -> new DenseMatrix(dense);
            case IntWeight integers -> integers(integers, team);
            case LutWeight lut -> table(lut, team);
        };
    }

    private CpuMatrix integers(IntWeight weight, Team team) {
        if (activations == Activations.INT8 && ByteShape.fits(Byte.SIZE, weight.columns(), weight.groupSize())) {
            return new ByteMatrix(weight, ByteRows.of(weight, team), isa());
        }
        return IntMatrix.fits(weight) ? new IntMatrix(weight, team) : new GenericMatrix(weight);
    }

    private Isa isa() {
        return IntegerInstructions.chosen(activations).orElseThrow();
    }

    private CpuMatrix table(LutWeight weight, Team team) {
        int bits = LutCodes.bits(weight);
        if (fitsIntegers(weight, bits)) {
            Tensor codes = LutCodes.unpackable(weight, team);
            return activations == Activations.INT8
                    ? new ByteMatrix(weight, ByteRows.of(weight, codes, bits, team), isa())
                    : new IntegerMatrix(weight, codes, bits, isa(), team);
        }
        if (!LutMatrix.fits(weight, bits)) {
            return new GenericMatrix(weight);
        }
        Tensor codes = LutCodes.unpackable(weight, team);
        if (bits == Lut2Matrix.BITS) {
            return new Lut2Matrix(weight, codes, team);
        }
        return switch (LANES) {
            case 16 -> new Lut4Matrix(weight, codes, team);
            case 8 -> new Lut8LaneMatrix(weight, codes, team);
            default -> new PlaneMatrix(weight, codes, team);
        };
    }

    private boolean fitsIntegers(LutWeight weight, int bits) {
        return switch (activations) {
            case F32 -> false;
            case INT14 -> RowShape.fits(bits, weight.columns(), weight.groupSize());
            case INT8 -> ByteShape.fits(bits, weight.columns(), weight.groupSize());
        };
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
        float[] lanes = Scratch.floats(LANES);
        sum.intoArray(lanes, 0);
        return Simd.sum(lanes) + rest;
    }

    @Override
    public void swiglu(float[] gate, float[] up, float[] out, int from, int to) {
        float[] exponentials = Scratch.floats(EXP_BLOCK);
        for (int at = from; at < to; at += EXP_BLOCK) {
            int length = Math.min(EXP_BLOCK, to - at);
            Simd.exp(gate, at, -1, 0, exponentials, 0, length);
            gate(gate, up, exponentials, out, at, length);
        }
    }

    /// `out = gate / (1 + exponentials) * up`.
    private static void gate(float[] gate, float[] up, float[] exponentials, float[] out, int at, int length) {
        int i = 0;
        for (; i < FLOATS.loopBound(length); i += LANES) {
            FloatVector.fromArray(FLOATS, gate, at + i)
                    .div(FloatVector.fromArray(FLOATS, exponentials, i).add(1f))
                    .mul(FloatVector.fromArray(FLOATS, up, at + i))
                    .intoArray(out, at + i);
        }
        for (; i < length; i++) {
            out[at + i] = gate[at + i] / (exponentials[i] + 1f) * up[at + i];
        }
    }

    @Override
    public void rotate(float[] x, int offset, float[] cos, float[] sin, int angle, int half) {
        int i = 0;
        for (; i < FLOATS.loopBound(half); i += LANES) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, offset + i);
            FloatVector b = FloatVector.fromArray(FLOATS, x, offset + half + i);
            FloatVector c = FloatVector.fromArray(FLOATS, cos, angle + i);
            FloatVector s = FloatVector.fromArray(FLOATS, sin, angle + i);
            a.mul(c).sub(b.mul(s)).intoArray(x, offset + i);
            b.mul(c).add(a.mul(s)).intoArray(x, offset + half + i);
        }
        for (; i < half; i++) {
            float a = x[offset + i];
            float b = x[offset + half + i];
            x[offset + i] = a * cos[angle + i] - b * sin[angle + i];
            x[offset + half + i] = b * cos[angle + i] + a * sin[angle + i];
        }
    }

    @Override
    public float max(float[] x, int from, int to) {
        if (to - from < LANES) {
            float max = x[from];
            for (int i = from + 1; i < to; i++) {
                max = Math.max(max, x[i]);
            }
            return max;
        }
        // two that do not wait for each other, the last of which may overlap those before it
        FloatVector a = FloatVector.fromArray(FLOATS, x, from);
        FloatVector b = FloatVector.fromArray(FLOATS, x, to - LANES);
        int i = from + LANES;
        for (; i + 2 * LANES <= to; i += 2 * LANES) {
            a = a.max(FloatVector.fromArray(FLOATS, x, i));
            b = b.max(FloatVector.fromArray(FLOATS, x, i + LANES));
        }
        if (i + LANES <= to) {
            a = a.max(FloatVector.fromArray(FLOATS, x, i));
        }
        return Simd.max(a.max(b));
    }

    @Override
    public void exponentials(float[] x, int from, float largest, float factor, float[] out, int count) {
        float[] differences = Scratch.floats(EXP_BLOCK);
        for (int at = 0; at < count; at += EXP_BLOCK) {
            int length = Math.min(EXP_BLOCK, count - at);
            for (int i = 0; i < length; i++) {
                differences[i] = x[from + at + i] - largest;
            }
            Simd.exp(differences, 0, factor, 0, out, at, length);
        }
    }

    @Override
    public void attention(Attention operands, Team team) {
        attention.run(operands, team);
    }
}
