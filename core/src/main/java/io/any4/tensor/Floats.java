package io.any4.tensor;

/// Conversions between 32-bit floats and the narrow number formats of model weights.
///
/// Rounding is to nearest, ties to even; infinities and NaN stay what they are.
public final class Floats {
    private Floats() {}

    /// The float whose upper half is `bits`.
    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /// The nearest bfloat16, ties to even.
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40); // keep it a quiet NaN: rounding could carry it into infinity
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    /// The power of two an E8M0 byte stands for; 255 is NaN.
    public static float fromE8m0(byte bits) {
        int exponent = bits & 0xff;
        if (exponent == 255) {
            return Float.NaN;
        }
        return Math.scalb(1f, exponent - 127);
    }

    /// The E8M0 byte of a power of two.
    ///
    /// @throws IllegalArgumentException if the value is not a power of two in `[2^-127, 2^127]`
    public static byte toE8m0(float powerOfTwo) {
        int exponent = powerOfTwo < Float.MIN_NORMAL ? -127 : Math.getExponent(powerOfTwo);
        if (exponent > 127 || Math.scalb(1f, exponent) != powerOfTwo) {
            throw new IllegalArgumentException(powerOfTwo + " is not a power of two that E8M0 can hold");
        }
        return (byte) (exponent + 127);
    }

    /// `value` as it reads after being stored in `dtype`.
    public static float round(float value, DType dtype) {
        return switch (dtype) {
            case F32, F64 -> value;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> fromBf16(toBf16(value));
            case E8M0 -> fromE8m0(toE8m0(value));
            case U8, I8, I16, I32, I64 -> throw new IllegalArgumentException(dtype + " does not hold real numbers");
        };
    }
}
