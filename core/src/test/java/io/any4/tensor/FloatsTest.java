package io.any4.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FloatsTest {
    @Property
    void bf16SurvivesARoundTrip(@ForAll short bits) {
        float value = Floats.fromBf16(bits);
        if (Float.isNaN(value)) {
            assertThat(Floats.fromBf16(Floats.toBf16(value))).isNaN();
        } else {
            assertThat(Floats.toBf16(value)).isEqualTo(bits);
        }
    }

    @Property
    void bf16RoundsToTheNearest(@ForAll float value) {
        short bits = Floats.toBf16(value);
        if (Float.isInfinite(Floats.fromBf16(bits))) {
            assertThat(Math.abs(value)).isGreaterThan(3.3895e38f);
            return;
        }
        double error = Math.abs((double) value - Floats.fromBf16(bits));
        for (int step = -1; step <= 1; step += 2) {
            float neighbour = Floats.fromBf16((short) (bits + step));
            if (Float.isFinite(neighbour) && Math.signum(neighbour) == Math.signum(value)) {
                double other = Math.abs((double) value - neighbour);
                assertThat(error).isLessThanOrEqualTo(other);
                if (error == other) {
                    assertThat(bits & 1).as("a tie goes to the even neighbour").isZero();
                }
            }
        }
    }

    @Property
    void bf16TiesGoToEven(@ForAll short bits) {
        float lower = Floats.fromBf16(bits);
        float tie = Float.intBitsToFloat((bits << 16) | 0x8000);
        if (Float.isFinite(lower)) {
            int even = (bits & 1) == 0 ? bits : bits + 1;
            assertThat(Floats.toBf16(tie)).isEqualTo((short) even);
        }
    }

    @Test
    void bf16KeepsWhatIsNotFinite() {
        assertThat(Floats.fromBf16(Floats.toBf16(Float.POSITIVE_INFINITY))).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(Floats.fromBf16(Floats.toBf16(Float.NEGATIVE_INFINITY))).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(Floats.fromBf16(Floats.toBf16(Float.NaN))).isNaN();
        assertThat(Floats.fromBf16(Floats.toBf16(Float.intBitsToFloat(0x7fffffff))))
                .isNaN();
        assertThat(Floats.toBf16(-0f)).isEqualTo((short) 0x8000);
    }

    @Property
    void f16SurvivesARoundTrip(@ForAll short bits) {
        float value = Float.float16ToFloat(bits);
        assertThat(Float.compare(Floats.round(value, DType.F16), value)).isZero();
    }

    @Property
    void roundingIsIdempotent(@ForAll @FloatRange(min = -1e5f, max = 1e5f) float value) {
        for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
            float once = Floats.round(value, dtype);
            assertThat(Floats.round(once, dtype)).isEqualTo(once);
        }
    }

    @Test
    void e8m0HoldsEveryPowerOfTwo() {
        for (int exponent = -127; exponent <= 127; exponent++) {
            float power = Math.scalb(1f, exponent);
            assertThat(Floats.toE8m0(power)).isEqualTo((byte) (exponent + 127));
            assertThat(Floats.fromE8m0(Floats.toE8m0(power))).isEqualTo(power);
        }
        assertThat(Floats.fromE8m0((byte) 255)).isNaN();
    }

    @ParameterizedTest
    @ValueSource(floats = {0, -1, 3, 1.0000001f, Float.MIN_VALUE, Float.POSITIVE_INFINITY, Float.NaN})
    void e8m0RefusesWhatIsNoPowerOfTwo(float value) {
        assertThatThrownBy(() -> Floats.toE8m0(value)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void integersHoldNoReals() {
        assertThatThrownBy(() -> Floats.round(1, DType.U8)).isInstanceOf(IllegalArgumentException.class);
    }
}
