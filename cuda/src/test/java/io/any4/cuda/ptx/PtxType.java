package io.any4.cuda.ptx;

/// The type at the end of an opcode, such as `u32`. Values are held as their bits, zero-extended to 64.
///
/// @param kind `b`, `u`, `s`, `f`, or `p` for a predicate
record PtxType(char kind, int bits) {
    static PtxType parse(String text) {
        if (text.equals("pred")) {
            return new PtxType('p', 1);
        }
        return new PtxType(text.charAt(0), Integer.parseInt(text.substring(1)));
    }

    boolean isFloat() {
        return kind == 'f';
    }

    int bytes() {
        return bits / 8;
    }

    /// Cuts a value to the type's bits.
    long clip(long value) {
        return bits == 64 ? value : value & (1L << bits) - 1;
    }

    /// The number that the bits stand for: sign-extended for signed types.
    long number(long value) {
        if (bits == 64) {
            return value;
        }
        return kind == 's' ? value << 64 - bits >> 64 - bits : clip(value);
    }

    int compare(long a, long b) {
        return kind == 's' ? Long.compare(number(a), number(b)) : Long.compareUnsigned(clip(a), clip(b));
    }
}
