package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.LaneFunction;
import org.jspecify.annotations.Nullable;

/// What the arithmetic opcodes compute.
final class Functions {
    private Functions() {}

    /// @throws PtxException if the interpreter does not know the opcode
    static LaneFunction find(String opcode) {
        String[] parts = opcode.split("\\.");
        if (parts[0].equals("cvt") && parts[parts.length - 2].endsWith("x2")) {
            return Conversions.pair(opcode);
        }
        PtxType type = PtxType.parse(parts[parts.length - 1]);
        LaneFunction found = switch (parts[0]) {
            case "setp" -> comparison(parts[1], type);
            case "cvt" -> Conversions.find(PtxType.parse(parts[parts.length - 2]), type, opcode);
            case "selp" -> (a, b, c) -> type.clip(c != 0 ? a : b);
            case "cvta" -> (a, b, c) -> a;
            default -> type.isFloat() ? FloatFunctions.find(parts[0], opcode) : integer(parts, type);
        };
        if (found == null) {
            throw new PtxException("unknown instruction " + opcode);
        }
        return found;
    }

    private static LaneFunction comparison(String relation, PtxType type) {
        if (type.isFloat()) {
            return FloatFunctions.comparison(relation);
        }
        return switch (relation) {
            case "eq" -> (a, b, c) -> type.compare(a, b) == 0 ? 1 : 0;
            case "ne" -> (a, b, c) -> type.compare(a, b) != 0 ? 1 : 0;
            case "lt" -> (a, b, c) -> type.compare(a, b) < 0 ? 1 : 0;
            case "le" -> (a, b, c) -> type.compare(a, b) <= 0 ? 1 : 0;
            case "gt" -> (a, b, c) -> type.compare(a, b) > 0 ? 1 : 0;
            case "ge" -> (a, b, c) -> type.compare(a, b) >= 0 ? 1 : 0;
            default -> throw new PtxException("unknown comparison " + relation);
        };
    }

    private static @Nullable LaneFunction integer(String[] parts, PtxType type) {
        return switch (parts[0]) {
            case "add" -> (a, b, c) -> type.clip(a + b);
            case "sub" -> (a, b, c) -> type.clip(a - b);
            case "mul" ->
                switch (parts[1]) {
                    case "wide" -> wide(type);
                    case "hi" -> high(type);
                    default -> (a, b, c) -> type.clip(a * b);
                };
            case "mad" -> (a, b, c) -> type.clip(a * b + c);
            case "div" -> division(type);
            case "rem" -> (a, b, c) -> type.clip(type.number(a) % type.number(b));
            case "neg" -> (a, b, c) -> type.clip(-a);
            case "not" -> (a, b, c) -> type.clip(~a);
            case "and" -> (a, b, c) -> type.clip(a & b);
            case "or" -> (a, b, c) -> type.clip(a | b);
            case "xor" -> (a, b, c) -> type.clip(a ^ b);
            case "min" -> (a, b, c) -> type.clip(type.compare(a, b) <= 0 ? a : b);
            case "max" -> (a, b, c) -> type.clip(type.compare(a, b) >= 0 ? a : b);
            case "shl" -> (a, b, c) -> b >= type.bits() ? 0 : type.clip(a << b);
            case "shr" -> (a, b, c) -> shiftRight(type, a, b);
            case "popc" -> (a, b, c) -> Long.bitCount(type.clip(a));
            case "prmt" -> (a, b, c) -> permute(a | b << 32, c);
            default -> null;
        };
    }

    private static LaneFunction division(PtxType type) {
        return type.kind() == 'u'
                ? (a, b, c) -> type.clip(Long.divideUnsigned(type.clip(a), type.clip(b)))
                : (a, b, c) -> type.clip(type.number(a) / type.number(b));
    }

    private static long shiftRight(PtxType type, long a, long distance) {
        if (type.kind() == 's') {
            return type.clip(type.number(a) >> Math.min(distance, type.bits() - 1));
        }
        return distance >= type.bits() ? 0 : type.clip(a) >>> distance;
    }

    /// Bits `position` to `position + length - 1` of b replaced by the lowest of a.
    static LaneFunction insertBits(int position, int length) {
        long mask = ((1L << length) - 1) << position;
        return (a, b, c) -> b & ~mask | a << position & mask;
    }

    /// The upper half of the product of unsigned numbers.
    private static @Nullable LaneFunction high(PtxType type) {
        if (type.kind() != 'u') {
            return null;
        }
        return type.bits() == 64
                ? (a, b, c) -> Math.unsignedMultiplyHigh(a, b)
                : (a, b, c) -> type.number(a) * type.number(b) >>> type.bits();
    }

    /// The product in twice the bits.
    private static LaneFunction wide(PtxType type) {
        PtxType result = new PtxType(type.kind(), 2 * type.bits());
        return (a, b, c) -> result.clip(type.number(a) * type.number(b));
    }

    /// Four bytes of eight; the top bit of a selector spreads the byte's sign.
    private static long permute(long bytes, long selectors) {
        long result = 0;
        for (int i = 0; i < 4; i++) {
            int selector = (int) (selectors >>> 4 * i) & 15;
            long value = bytes >>> 8 * (selector & 7) & 0xff;
            if ((selector & 8) != 0) {
                value = (value & 0x80) != 0 ? 0xff : 0;
            }
            result |= value << 8 * i;
        }
        return result;
    }
}
