package io.any4.machine;

/// An operand in memory: `base + index * scale + displacement`.
///
/// @param base a general register
/// @param index a general register, or [#NONE]
/// @param scale 1, 2, 4 or 8
record Address(int base, int index, int scale, int displacement) {
    static final int NONE = -1;

    static Address at(int base, int displacement) {
        return new Address(base, NONE, 1, displacement);
    }

    static Address at(int base, int index, int scale, int displacement) {
        return new Address(base, index, scale, displacement);
    }
}
