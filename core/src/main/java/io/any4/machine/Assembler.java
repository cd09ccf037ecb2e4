package io.any4.machine;

import java.util.Arrays;

/// Writes x86-64 machine code, one instruction per call.
///
/// Vector registers are numbers from 0 to 31, general ones the constants here. Widths are bytes of a vector:
/// 16 and 32 are encoded by VEX and reach the registers up to 15, 64 by EVEX (Intel 64 Architectures Software
/// Developer's Manual, volume 2, sections 2.3 and 2.7).
final class Assembler {
    static final int RAX = 0;
    static final int RCX = 1;
    static final int RDX = 2;
    static final int RBX = 3;
    static final int RSP = 4;
    static final int RBP = 5;
    static final int RSI = 6;
    static final int RDI = 7;
    static final int R8 = 8;
    static final int R9 = 9;
    static final int R10 = 10;
    static final int R11 = 11;
    static final int R12 = 12;
    static final int R13 = 13;
    static final int R14 = 14;
    static final int R15 = 15;

    private static final int LARGEST = 64;

    private byte[] code = new byte[1024];
    private int size;

    /// The code so far.
    byte[] toBytes() {
        return Arrays.copyOf(code, size);
    }

    /// Where the next instruction will be, as a target of jumps back.
    int here() {
        return size;
    }

    // vector instructions

    /// `instruction to, first, second`.
    void vector(Instruction instruction, int bytes, int to, int first, int second) {
        head(instruction, bytes, to, first, second >> 3 & 1, second >> 4, false);
        put(instruction.opcode);
        put(0xc0 | (to & 7) << 3 | second & 7);
    }

    /// `instruction to, first, second, immediate`.
    void vector(Instruction instruction, int bytes, int to, int first, int second, int immediate) {
        vector(instruction, bytes, to, first, second);
        put(immediate);
    }

    /// `instruction to, from`, for instructions of one source.
    void vector(Instruction instruction, int bytes, int to, int from) {
        vector(instruction, bytes, to, 0, from);
    }

    /// `instruction to, first, [second]`.
    void vector(Instruction instruction, int bytes, int to, int first, Address second) {
        withMemory(instruction, bytes, to, first, second, false);
    }

    /// The same for 512 bits, with 32 bits in memory that are spread to all lanes.
    void vectorSpread(Instruction instruction, int to, int first, Address second) {
        withMemory(instruction, LARGEST, to, first, second, true);
    }

    private void withMemory(Instruction instruction, int bytes, int to, int first, Address second, boolean spread) {
        int index = second.index() == Address.NONE ? 0 : second.index();
        head(instruction, bytes, to, first, second.base() >> 3, index >> 3, spread);
        put(instruction.opcode);
        operand(to, second, spread ? Integer.BYTES : bytes == LARGEST ? instruction.tuple.bytes(bytes) : 1);
    }

    /// `instruction to, [from]`, or `instruction [from], to` where that is what it does.
    void vector(Instruction instruction, int bytes, int to, Address from) {
        vector(instruction, bytes, to, 0, from);
    }

    /// The same with an immediate.
    void vector(Instruction instruction, int bytes, int to, Address from, int immediate) {
        vector(instruction, bytes, to, 0, from);
        put(immediate);
    }

    /// `vpsrlw to, from, count`.
    void shiftRight16(int bytes, int to, int from, int count) {
        vector(Instruction.VPSRLW, bytes, 2, to, from);
        put(count);
    }

    /// Sets a register to zeros.
    void clear(int bytes, int register) {
        vector(Instruction.VPXOR, bytes, register, register, register);
    }

    /// What stands before the opcode. `b` and `x` extend the numbers of the last operand's registers.
    private void head(Instruction instruction, int bytes, int to, int first, int b, int x, boolean spread) {
        int map = instruction.map.code();
        int prefix = instruction.prefix.code();
        int inverted = ((to >> 3 & 1) << 7 | (x & 1) << 6 | b << 5) ^ 0xe0;
        int vvvv = (~first & 15) << 3;
        if (bytes == LARGEST) {
            put(0x62);
            put(inverted | (~to >> 4 & 1) << 4 | map);
            put((instruction.wide ? 0x80 : 0) | vvvv | 4 | prefix);
            put(2 << 5 | (spread ? 1 << 4 : 0) | (~first >> 4 & 1) << 3);
        } else {
            put(0xc4);
            put(inverted | map);
            put(vvvv | (bytes == 32 ? 4 : 0) | prefix);
        }
    }

    /// The bytes that name a register and an address; a displacement that is a multiple of `unit` may be short.
    private void operand(int register, Address address, int unit) {
        int base = address.base() & 7;
        boolean indexed = address.index() != Address.NONE || base == RSP;
        int displacement = address.displacement();
        boolean shortened = displacement % unit == 0 && displacement / unit == (byte) (displacement / unit);
        int mode = displacement == 0 && base != RBP ? 0 : shortened ? 1 : 2;
        put(mode << 6 | (register & 7) << 3 | (indexed ? 4 : base));
        if (indexed) {
            int index = address.index() == Address.NONE ? RSP : address.index() & 7;
            put(Integer.numberOfTrailingZeros(address.scale()) << 6 | index << 3 | base);
        }
        if (mode == 1) {
            put(displacement / unit);
        } else if (mode == 2) {
            putInt(displacement);
        }
    }

    // general instructions, all of 64 bits

    void move(int to, int from) {
        general(0x8b, to, from);
    }

    void load(int to, Address from) {
        general(0x8b, to, from);
    }

    /// Stores the lower 32 bits.
    void store32(Address to, int from) {
        put(0x40 | from >> 3 << 2 | (to.index() > 7 ? 2 : 0) | to.base() >> 3);
        put(0x89);
        operand(from, to, 1);
    }

    void loadAddress(int to, Address address) {
        general(0x8d, to, address);
    }

    void set(int to, int value) {
        rex(0, to);
        put(0xc7);
        put(0xc0 | to & 7);
        putInt(value);
    }

    void add(int to, int value) {
        rex(0, to);
        put(0x81);
        put(0xc0 | to & 7);
        putInt(value);
    }

    /// Subtracts 1 and jumps back to `target` unless the result is 0.
    void countDown(int register, int target) {
        rex(0, register);
        put(0xff);
        put(0xc8 | register & 7);
        put(0x0f);
        put(0x85);
        putInt(target - (size + 4));
    }

    void push(int register) {
        put(0x40 | register >> 3);
        put(0x50 | register & 7);
    }

    void pop(int register) {
        put(0x40 | register >> 3);
        put(0x58 | register & 7);
    }

    /// Asks for the line at an address to be brought to the nearest cache.
    void prefetch(Address address) {
        put(0x40 | (address.index() > 7 ? 2 : 0) | address.base() >> 3);
        put(0x0f);
        put(0x18);
        operand(1, address, 1);
    }

    /// `vzeroupper`, which must stand before code that knows nothing of wide vectors, and `ret`.
    void finish() {
        put(0xc5);
        put(0xf8);
        put(0x77);
        put(0xc3);
    }

    /// `cpuid`.
    void askProcessor() {
        put(0x0f);
        put(0xa2);
    }

    private void general(int opcode, int register, int other) {
        rex(register, other);
        put(opcode);
        put(0xc0 | (register & 7) << 3 | other & 7);
    }

    private void general(int opcode, int register, Address address) {
        put(0x48 | register >> 3 << 2 | (address.index() > 7 ? 2 : 0) | address.base() >> 3);
        put(opcode);
        operand(register, address, 1);
    }

    private void rex(int register, int other) {
        put(0x48 | register >> 3 << 2 | other >> 3);
    }

    private void putInt(int value) {
        for (int shift = 0; shift < 32; shift += 8) {
            put(value >> shift);
        }
    }

    private void put(int value) {
        if (size == code.length) {
            code = Arrays.copyOf(code, 2 * size);
        }
        code[size++] = (byte) value;
    }
}
