package io.any4.cuda.ptx;

import static io.any4.cuda.ptx.FloatFunctions.value;

import io.any4.cuda.ptx.Instruction.LaneFunction;
import io.any4.tensor.Floats;

/// The instruction `cvt` between the types that the kernels use.
final class Conversions {
    private Conversions() {}

    static LaneFunction find(PtxType to, PtxType from, String opcode) {
        if (!to.isFloat() && !from.isFloat()) {
            return (a, b, c) -> to.clip(from.number(a));
        }
        if (to.isFloat() && to.bits() == 32) {
            if (!from.isFloat()) {
                return (a, b, c) -> FloatFunctions.bits((float) from.number(a));
            }
            if (from.bits() == 16) {
                return (a, b, c) -> FloatFunctions.bits(Float.float16ToFloat((short) a));
            }
            if (from.bits() == 32 && opcode.startsWith("cvt.rni")) {
                return (a, b, c) -> FloatFunctions.bits((float) Math.rint(FloatFunctions.value(a)));
            }
        }
        if (from.isFloat() && from.bits() == 32) {
            return switch (opcode) {
                case "cvt.rzi.s32.f32" -> (a, b, c) -> to.clip((int) value(a));
                case "cvt.rni.s32.f32" -> (a, b, c) -> to.clip((int) Math.rint(value(a))); // clamped, as Java does
                case "cvt.rni.u64.f32" -> (a, b, c) -> Math.max(0, (long) Math.rint(value(a))); // up to 2^63
                default -> throw new PtxException("unknown conversion " + opcode);
            };
        }
        throw new PtxException("unknown conversion " + opcode);
    }

    /// Two floats to a pair of 16-bit ones, the first in the upper half.
    static LaneFunction pair(String opcode) {
        return switch (opcode) {
            case "cvt.rn.bf16x2.f32" -> (a, b, c) -> join(Floats.toBf16(value(a)), Floats.toBf16(value(b)));
            case "cvt.rn.f16x2.f32" ->
                (a, b, c) -> join(Float.floatToFloat16(value(a)), Float.floatToFloat16(value(b)));
            default -> throw new PtxException("unknown conversion " + opcode);
        };
    }

    private static long join(short upper, short lower) {
        return (upper & 0xffffL) << 16 | lower & 0xffffL;
    }
}
