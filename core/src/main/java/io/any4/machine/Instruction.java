package io.any4.machine;

/// Vector instructions by their names in the processors' manuals, as far as any program needs them.
///
/// Each has a short encoding (VEX) for vectors of up to 256 bits in 16 registers, or a long one (EVEX) for
/// 512 bits and 32 registers, or both.
enum Instruction {
    VMULPS(Map.M0F, Prefix.NONE, 0x59, Tuple.FULL),
    VCVTDQ2PS(Map.M0F, Prefix.NONE, 0x5b, Tuple.FULL),
    VMOVUPS(Map.M0F, Prefix.NONE, 0x10, Tuple.FULL),
    /// The same from a register to memory.
    VMOVUPS_STORE(Map.M0F, Prefix.NONE, 0x11, Tuple.FULL),
    /// From a general register of 32 bits.
    VMOVD(Map.M0F, Prefix.P66, 0x6e, Tuple.SCALAR),
    VPADDD(Map.M0F, Prefix.P66, 0xfe, Tuple.FULL),
    VPAND(Map.M0F, Prefix.P66, 0xdb, Tuple.FULL),
    VPXOR(Map.M0F, Prefix.P66, 0xef, Tuple.FULL),
    VPMADDWD(Map.M0F, Prefix.P66, 0xf5, Tuple.FULL),
    VPCMPEQW(Map.M0F, Prefix.P66, 0x75, Tuple.FULL),
    VPACKUSWB(Map.M0F, Prefix.P66, 0x67, Tuple.FULL),
    /// Shifts by an immediate are number 2 of a group of instructions.
    VPSRLW(Map.M0F, Prefix.P66, 0x71, Tuple.FULL),
    VPUNPCKLBW(Map.M0F, Prefix.P66, 0x60, Tuple.FULL),
    VPUNPCKHBW(Map.M0F, Prefix.P66, 0x68, Tuple.FULL),
    VPUNPCKLDQ(Map.M0F, Prefix.P66, 0x62, Tuple.FULL),
    VPUNPCKHDQ(Map.M0F, Prefix.P66, 0x6a, Tuple.FULL),
    VPUNPCKLQDQ(Map.M0F, Prefix.P66, 0x6c, Tuple.FULL, true),
    VPUNPCKHQDQ(Map.M0F, Prefix.P66, 0x6d, Tuple.FULL, true),
    VPSHUFB(Map.M0F38, Prefix.P66, 0x00, Tuple.FULL),
    VCVTPH2PS(Map.M0F38, Prefix.P66, 0x13, Tuple.HALF),
    VBROADCASTSS(Map.M0F38, Prefix.P66, 0x18, Tuple.SCALAR),
    VPDPBUSD(Map.M0F38, Prefix.P66, 0x50, Tuple.FULL),
    VPDPWSSD(Map.M0F38, Prefix.P66, 0x52, Tuple.FULL),
    VPBROADCASTD(Map.M0F38, Prefix.P66, 0x58, Tuple.SCALAR),
    VBROADCASTI128(Map.M0F38, Prefix.P66, 0x5a, Tuple.QUARTER),
    VBROADCASTI64X4(Map.M0F38, Prefix.P66, 0x5b, Tuple.HALF, true),
    VPERMW(Map.M0F38, Prefix.P66, 0x8d, Tuple.FULL, true),
    VFMADD231PS(Map.M0F38, Prefix.P66, 0xb8, Tuple.FULL),
    VEXTRACTPS(Map.M0F3A, Prefix.P66, 0x17, Tuple.SCALAR),
    VEXTRACTF128(Map.M0F3A, Prefix.P66, 0x19, Tuple.QUARTER),
    VEXTRACTI64X4(Map.M0F3A, Prefix.P66, 0x3b, Tuple.HALF, true),
    VSHUFI32X4(Map.M0F3A, Prefix.P66, 0x43, Tuple.FULL),
    VPERM2I128(Map.M0F3A, Prefix.P66, 0x46, Tuple.FULL);

    /// Which table of opcodes.
    enum Map {
        M0F,
        M0F38,
        M0F3A;

        int code() {
            return ordinal() + 1;
        }
    }

    /// What once was a byte in front.
    enum Prefix {
        NONE,
        P66;

        int code() {
            return ordinal();
        }
    }

    /// What part of a vector an operand in memory is: EVEX counts short displacements in such parts.
    enum Tuple {
        FULL,
        HALF,
        QUARTER,
        SCALAR;

        int bytes(int vectorBytes) {
            return switch (this) {
                case FULL -> vectorBytes;
                case HALF -> vectorBytes / 2;
                case QUARTER -> 16;
                case SCALAR -> 4;
            };
        }
    }

    final Map map;
    final Prefix prefix;
    final int opcode;
    final Tuple tuple;
    /// The bit W of the long encoding; it is 0 in all short ones.
    final boolean wide;

    Instruction(Map map, Prefix prefix, int opcode, Tuple tuple) {
        this(map, prefix, opcode, tuple, false);
    }

    Instruction(Map map, Prefix prefix, int opcode, Tuple tuple, boolean wide) {
        this.map = map;
        this.prefix = prefix;
        this.opcode = opcode;
        this.tuple = tuple;
        this.wide = wide;
    }
}
