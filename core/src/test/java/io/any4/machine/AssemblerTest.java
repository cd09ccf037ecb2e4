package io.any4.machine;

import static io.any4.machine.Address.at;
import static io.any4.machine.Assembler.R10;
import static io.any4.machine.Assembler.R11;
import static io.any4.machine.Assembler.R12;
import static io.any4.machine.Assembler.R13;
import static io.any4.machine.Assembler.R14;
import static io.any4.machine.Assembler.R15;
import static io.any4.machine.Assembler.R8;
import static io.any4.machine.Assembler.R9;
import static io.any4.machine.Assembler.RAX;
import static io.any4.machine.Assembler.RBP;
import static io.any4.machine.Assembler.RBX;
import static io.any4.machine.Assembler.RDI;
import static io.any4.machine.Assembler.RDX;
import static io.any4.machine.Assembler.RSP;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Encodings as GNU as 2.40 writes them, for instructions and operands that can be written in one way only.
class AssemblerTest {
    static Stream<Arguments> instructions() {
        return Stream.of(
                of("vmulps ymm9, ymm10, ymm11", "c4412c59cb", c -> c.vector(Instruction.VMULPS, 32, 9, 10, 11)),
                of(
                        "vfmadd231ps zmm16, zmm25, zmm31",
                        "62823540b8c7",
                        c -> c.vector(Instruction.VFMADD231PS, 64, 16, 25, 31)),
                of(
                        "vpdpwssd zmm17, zmm4, [rax+4224]",
                        "62e25d48524842",
                        c -> c.vector(Instruction.VPDPWSSD, 64, 17, 4, at(RAX, 4224))),
                of("vpdpbusd zmm17, zmm4, zmm29", "62825d4850cd", c -> c.vector(Instruction.VPDPBUSD, 64, 17, 4, 29)),
                of(
                        "vpdpbusd zmm17, zmm4, [r11+508]{1to16}",
                        "62c25d58504b7f",
                        c -> c.vectorSpread(Instruction.VPDPBUSD, 17, 4, at(R11, 508))),
                of(
                        "vpdpbusd zmm10, zmm3, [r11+8192]{1to16}",
                        "62526558509300200000",
                        c -> c.vectorSpread(Instruction.VPDPBUSD, 10, 3, at(R11, 8192))),
                of("{vex} vpdpbusd ymm11, ymm2, ymm9", "c4426d50d9", c -> c.vector(Instruction.VPDPBUSD, 32, 11, 2, 9)),
                of(
                        "vfmadd231ps zmm6, zmm5, [rax+12]{1to16}",
                        "62f25558b87003",
                        c -> c.vectorSpread(Instruction.VFMADD231PS, 6, 5, at(RAX, 12))),
                of("vmovd xmm8, r9d", "c441796ec1", c -> c.vector(Instruction.VMOVD, 16, 8, R9)),
                of("vpbroadcastd zmm8, xmm0", "62727d4858c0", c -> c.vector(Instruction.VPBROADCASTD, 64, 8, 0)),
                of("vpermw zmm5, zmm9, zmm13", "62d2b5488ded", c -> c.vector(Instruction.VPERMW, 64, 5, 9, 13)),
                of("vpsrlw zmm20, zmm21, 4", "62b15d4071d504", c -> c.shiftRight16(64, 20, 21, 4)),
                of(
                        "vpbroadcastd zmm26, [r11+508]",
                        "62427d4858537f",
                        c -> c.vector(Instruction.VPBROADCASTD, 64, 26, at(R11, 508))),
                of(
                        "vpbroadcastd zmm26, [r11+512]",
                        "62427d48589300020000",
                        c -> c.vector(Instruction.VPBROADCASTD, 64, 26, at(R11, 512))),
                of(
                        "vbroadcastss ymm9, [rdi+r8*2+32]",
                        "c4227d184c4720",
                        c -> c.vector(Instruction.VBROADCASTSS, 32, 9, at(RDI, R8, 2, 32))),
                of(
                        "vbroadcasti64x4 zmm12, [rdi+r11]",
                        "6232fd485b241f",
                        c -> c.vector(Instruction.VBROADCASTI64X4, 64, 12, at(RDI, R11, 1, 0))),
                of(
                        "vbroadcasti128 ymm4, [rdi+16]",
                        "c4e27d5a6710",
                        c -> c.vector(Instruction.VBROADCASTI128, 32, 4, at(RDI, 16))),
                of(
                        "vcvtph2ps zmm8, [r10+32]",
                        "62527d48134201",
                        c -> c.vector(Instruction.VCVTPH2PS, 64, 8, at(R10, 32))),
                of(
                        "vcvtph2ps ymm8, [r10+r8]",
                        "c4027d130402",
                        c -> c.vector(Instruction.VCVTPH2PS, 32, 8, at(R10, R8, 1, 0))),
                of("vmovups zmm8, [r13]", "62517c48104500", c -> c.vector(Instruction.VMOVUPS, 64, 8, at(R13, 0))),
                of(
                        "vmovups [r12+64], zmm30",
                        "62417c4811742401",
                        c -> c.vector(Instruction.VMOVUPS_STORE, 64, 30, at(R12, 64))),
                of(
                        "vextracti64x4 ymm5, zmm4, 1",
                        "62f3fd483be501",
                        c -> c.vector(Instruction.VEXTRACTI64X4, 64, 4, 0, 5, 1)),
                of(
                        "vextractf128 xmm6, ymm4, 1",
                        "c4e37d19e601",
                        c -> c.vector(Instruction.VEXTRACTF128, 32, 4, 0, 6, 1)),
                of(
                        "vextractf128 [rbx+64], ymm12, 1",
                        "c4637d19634001",
                        c -> c.vector(Instruction.VEXTRACTF128, 32, 12, at(RBX, 64), 1)),
                of(
                        "vextractps [r10+r14], xmm3, 3",
                        "c48379171c3203",
                        c -> c.vector(Instruction.VEXTRACTPS, 16, 3, at(R10, R14, 1, 0), 3)),
                of(
                        "vshufi32x4 zmm3, zmm19, zmm27, 0xdd",
                        "6293654043dbdd",
                        c -> c.vector(Instruction.VSHUFI32X4, 64, 3, 19, 27, 0xdd)),
                of(
                        "vperm2i128 ymm4, ymm8, ymm12, 0x31",
                        "c4c33d46e431",
                        c -> c.vector(Instruction.VPERM2I128, 32, 4, 8, 12, 0x31)),
                of("vpxord zmm31, zmm31, zmm31", "62010540efff", c -> c.clear(64, 31)),
                of("vpunpcklqdq zmm6, zmm4, zmm5", "62f1dd486cf5", c -> c.vector(Instruction.VPUNPCKLQDQ, 64, 6, 4, 5)),
                of("vpshufb ymm4, ymm4, ymm3", "c4e25d00e3", c -> c.vector(Instruction.VPSHUFB, 32, 4, 4, 3)),
                of("lea r11, [r8+r8*2]", "4f8d1c40", c -> c.loadAddress(R11, at(R8, R8, 2, 0))),
                of("lea r10, [r10+r12]", "4f8d1422", c -> c.loadAddress(R10, at(R10, R12, 1, 0))),
                of("mov r15, [rsp+56]", "4c8b7c2438", c -> c.load(R15, at(RSP, 56))),
                of("mov rbp, 16", "48c7c510000000", c -> c.set(RBP, 16)),
                of("add rbx, 128", "4881c380000000", c -> c.add(RBX, 128)),
                of("prefetcht0 [r10+r8*2+2304]", "430f188c4200090000", c -> c.prefetch(at(R10, R8, 2, 2304))),
                of("push r14", "4156", c -> c.push(R14)),
                of("mov [r8+12], edx", "4189500c", c -> c.store32(at(R8, 12), RDX)));
    }

    private static Arguments of(String text, String code, Consumer<Assembler> instruction) {
        return Arguments.of(text, code, instruction);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("instructions")
    void encodings(String text, String code, Consumer<Assembler> instruction) {
        Assembler assembler = new Assembler();
        instruction.accept(assembler);
        assertThat(HexFormat.of().formatHex(assembler.toBytes())).isEqualTo(code);
    }
}
