package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.LaneFunction;
import org.jspecify.annotations.Nullable;

/// 32-bit float arithmetic. Approximate instructions give the nearest float, which lies within their
/// stated error.
final class FloatFunctions {
    private interface Unary {
        double apply(double a);
    }

    private FloatFunctions() {}

    static @Nullable LaneFunction find(String operation, String opcode) {
        if (!opcode.endsWith(".f32")) {
            throw new PtxException("unknown float type in " + opcode);
        }
        return switch (operation) {
            case "add" -> (a, b, c) -> bits(value(a) + value(b));
            case "sub" -> (a, b, c) -> bits(value(a) - value(b));
            case "mul" -> (a, b, c) -> bits(value(a) * value(b));
            case "fma" -> (a, b, c) -> bits(Math.fma(value(a), value(b), value(c)));
            case "div" -> (a, b, c) -> bits(value(a) / value(b));
            case "min" -> (a, b, c) -> bits(Math.min(value(a), value(b)));
            case "max" -> (a, b, c) -> bits(Math.max(value(a), value(b)));
            case "neg" -> (a, b, c) -> a ^ 0x80000000L;
            case "abs" -> (a, b, c) -> a & 0x7fffffffL;
            case "copysign" -> (a, b, c) -> a & 0x80000000L | b & 0x7fffffffL;
            case "rcp" -> unary(a -> 1 / a);
            case "sqrt" -> unary(Math::sqrt);
            case "ex2" -> unary(a -> Math.pow(2, a));
            case "sin" -> unary(Math::sin);
            case "cos" -> unary(Math::cos);
            default -> null;
        };
    }

    private static LaneFunction unary(Unary function) {
        return (a, b, c) -> bits((float) function.apply(value(a)));
    }

    static LaneFunction comparison(String relation) {
        return switch (relation) {
            case "eq" -> (a, b, c) -> value(a) == value(b) ? 1 : 0;
            case "neu" -> (a, b, c) -> value(a) != value(b) ? 1 : 0;
            case "nan" -> (a, b, c) -> Float.isNaN(value(a)) || Float.isNaN(value(b)) ? 1 : 0;
            case "lt" -> (a, b, c) -> value(a) < value(b) ? 1 : 0;
            case "le" -> (a, b, c) -> value(a) <= value(b) ? 1 : 0;
            case "gt" -> (a, b, c) -> value(a) > value(b) ? 1 : 0;
            case "ge" -> (a, b, c) -> value(a) >= value(b) ? 1 : 0;
            default -> throw new PtxException("unknown float comparison " + relation);
        };
    }

    static float value(long bits) {
        return Float.intBitsToFloat((int) bits);
    }

    static long bits(float value) {
        return Float.floatToRawIntBits(value) & 0xffffffffL;
    }
}
