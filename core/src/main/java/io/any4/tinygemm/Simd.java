package io.any4.tinygemm;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The vector width of this Java process, and the few operations that all vector kernels share.
///
/// The width is a constant of the process because the compiler only turns Vector API calls into instructions
/// where the species is a constant. It is the machine's preferred width unless the system property
/// `any4.vector.bits` says otherwise.
///
/// Only operations with one possible result are used: the reductions and the transcendental functions of the
/// Vector API are left out because theirs may change when the compiler takes over from the interpreter.
final class Simd {
    static final VectorSpecies<Float> FLOATS = VectorSpecies.of(float.class, shape());
    static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    static final VectorSpecies<Short> SHORTS = FLOATS.withLanes(short.class);
    static final VectorSpecies<Byte> BYTES = FLOATS.withLanes(byte.class);
    /// As many shorts as there are lanes.
    static final VectorSpecies<Short> HALF_SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    static final int BITS = FLOATS.vectorBitSize();
    static final int LANES = FLOATS.length();
    static final long VECTOR_BYTES = 4L * LANES;
    static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private static final VectorShuffle<Float> SWAP_8 = swap(8);
    private static final VectorShuffle<Float> SWAP_4 = swap(4);
    private static final VectorShuffle<Float> SWAP_2 = swap(2);
    private static final VectorShuffle<Float> SWAP_1 = swap(1);
    /// Swaps halves, and halves of halves.
    private static final VectorShuffle<Float> SWAP_HALF = swap(LANES / 2);

    private static final VectorShuffle<Float> SWAP_QUARTER = swap(LANES / 4);
    private static final VectorMask<Float> UPPER_HALF = lanesWith(LANES / 2);
    private static final VectorMask<Float> UPPER_QUARTERS = lanesWith(LANES / 4);

    private Simd() {}

    private static VectorShape shape() {
        int bits = VectorBits.requested().orElse(FloatVector.SPECIES_PREFERRED.vectorBitSize());
        return VectorShape.forBitSize(Math.min(bits, 512));
    }

    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane ^ distance) % FLOATS.length());
    }

    private static VectorMask<Float> lanesWith(int bit) {
        boolean[] lanes = new boolean[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            lanes[lane] = (lane & bit) != 0;
        }
        return VectorMask.fromArray(FLOATS, lanes, 0);
    }

    /// The sum of the lanes that a vector has left in an array, which is overwritten; halves first.
    ///
    /// Not a function of a vector, which would become an object where it is not inlined.
    static float sum(float[] lanes) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[half + i];
            }
        }
        return lanes[0];
    }

    /// The largest of all lanes; NaN if one is.
    static float max(FloatVector v) {
        FloatVector m = v;
        if (LANES >= 16) {
            m = m.max(m.rearrange(SWAP_8));
        }
        if (LANES >= 8) {
            m = m.max(m.rearrange(SWAP_4));
        }
        m = m.max(m.rearrange(SWAP_2));
        m = m.max(m.rearrange(SWAP_1));
        return m.lane(0);
    }

    /// The sums of four vectors, each as [#sum] has it, in lanes 0, `LANES / 2`, `LANES / 4` and `3 * LANES /
    /// 4`.
    static FloatVector sums(FloatVector a, FloatVector b, FloatVector c, FloatVector d) {
        FloatVector ab = a.blend(b, UPPER_HALF).add(b.blend(a, UPPER_HALF).rearrange(SWAP_HALF));
        FloatVector cd = c.blend(d, UPPER_HALF).add(d.blend(c, UPPER_HALF).rearrange(SWAP_HALF));
        FloatVector s =
                ab.blend(cd, UPPER_QUARTERS).add(cd.blend(ab, UPPER_QUARTERS).rearrange(SWAP_QUARTER));
        if (LANES >= 16) {
            s = s.add(s.rearrange(SWAP_2));
        }
        if (LANES >= 8) {
            s = s.add(s.rearrange(SWAP_1));
        }
        return s;
    }

    /// `out[to + i] = e^(factor * x[from + i] - less)` for `i < length`, within two units in the last place
    /// of the exponential; 0 where the exponent is below -87, and clamped above 88. In place only for whole
    /// vectors.
    ///
    /// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` by its Taylor polynomial, `2^n` by setting exponent bits.
    ///
    /// A loop over memory and not a function of vectors, which would become objects where it is not inlined.
    static void exp(float[] x, int from, float factor, float less, float[] out, int to, int length) {
        if (length < LANES) {
            for (int i = 0; i < length; i++) {
                out[to + i] = exp(x[from + i] * factor - less);
            }
            return;
        }
        for (int i = 0; i < length; i += LANES) {
            int at = Math.min(i, length - LANES); // the last vector may overlap the one before it
            FloatVector exponent =
                    FloatVector.fromArray(FLOATS, x, from + at).mul(factor).sub(less);
            FloatVector clamped = exponent.min(88f).max(-87.5f);
            // adding 1.5 * 2^23 rounds to an integer, which then stands in the low mantissa bits
            FloatVector shifted =
                    clamped.fma(FloatVector.broadcast(FLOATS, 1.442695f), FloatVector.broadcast(FLOATS, 12582912f));
            FloatVector n = shifted.sub(12582912f);
            FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -0.693359375f), clamped);
            r = n.fma(FloatVector.broadcast(FLOATS, 2.1219444e-4f), r);
            FloatVector p = r.fma(FloatVector.broadcast(FLOATS, 1f / 5040), FloatVector.broadcast(FLOATS, 1f / 720));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1f / 120));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1f / 24));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1f / 6));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 0.5f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1f));
            IntVector bits = shifted.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHL, 23)
                    .add(127 << 23);
            p.mul(bits.reinterpretAsFloats())
                    .blend(0f, exponent.compare(VectorOperators.LT, -87f))
                    .intoArray(out, to + at);
        }
    }

    /// The same for one number.
    static float exp(float x) {
        if (x < -87) {
            return 0;
        }
        float clamped = Math.min(x, 88);
        float shifted = Math.fma(clamped, 1.442695f, 12582912f);
        float n = shifted - 12582912f;
        float r = Math.fma(n, 2.1219444e-4f, Math.fma(n, -0.693359375f, clamped));
        float p = Math.fma(r, 1f / 5040, 1f / 720);
        p = Math.fma(p, r, 1f / 120);
        p = Math.fma(p, r, 1f / 24);
        p = Math.fma(p, r, 1f / 6);
        p = Math.fma(p, r, 0.5f);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        return p * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + (127 << 23));
    }

    /// The floats whose upper halves are the lower halves of the lanes: bf16 to float.
    static FloatVector lowBf16(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /// The floats whose upper halves are the upper halves of the lanes.
    static FloatVector highBf16(IntVector pairs) {
        return pairs.and(0xffff0000).reinterpretAsFloats();
    }

    /// Where the sign, exponent and fraction of an F16 lie once it has moved from the upper half of a float
    /// by three places down, its sign staying.
    static final int F16_BITS = 0x8fffe000;

    /// What such a float has to be multiplied by: its exponent is too small by the difference of the biases,
    /// 112.
    static final float F16_BIAS = 0x1p112f;

    /// F16 values in the upper halves of the lanes, widened; the lower halves do not matter. Infinities and
    /// NaN become large finite numbers.
    static FloatVector highF16(IntVector pairs) {
        IntVector moved = pairs.lanewise(VectorOperators.ASHR, 3).and(F16_BITS);
        return moved.reinterpretAsFloats().mul(F16_BIAS);
    }

    static FloatVector lowF16(IntVector pairs) {
        return highF16(pairs.lanewise(VectorOperators.LSHL, 16));
    }

    /// `length` rounded up to whole vectors.
    static int pad(int length) {
        return Math.ceilDiv(length, LANES) * LANES;
    }
}
