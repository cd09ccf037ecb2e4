#!/usr/bin/env python3
"""Counts the instructions of the matrix kernels' inner loops as the compiler makes them for sm_90: docs/gpu.md.

Needs nvcc, and no disassembler: the opcode is the lowest 9 bits of an instruction's 16 bytes, and a branch's distance
begins at bit 16.
"""
import collections
import pathlib
import struct
import subprocess
import tempfile

# Opcodes of the pipeline for integers and logic, which takes half as many per clock as a multiprocessor issues.
LOGIC = {0x07: "SEL", 0x0C: "ISETP", 0x10: "IADD3", 0x11: "LEA", 0x12: "LOP3", 0x16: "PRMT", 0x19: "SHF", 0x36: "VIADD"}
PRMT, IMMA, BRA = 0x16, 0x37, 0x147

# Kernels, with the products that a fragment of 16 x 32 weights takes.
KERNELS = {"lut4_g128_n4": 4, "lut4_g128_n8": 8, "lut4_g128_n16": 8, "lut4_g128_n32": 16, "int4_g128_n4": 1, "int8_g128_n4": 1}


def sections(elf):
    """The code of each kernel by name."""
    (at,) = struct.unpack_from("<Q", elf, 0x28)
    count, names = struct.unpack_from("<HH", elf, 0x3C)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, at + 64 * i) for i in range(count)]
    for header in headers:
        begin = headers[names][4] + header[0]
        name = elf[begin : elf.index(b"\0", begin)].decode()
        if name.startswith(".text."):
            yield name[6:], elf[header[4] : header[4] + header[5]]


def decode(code):
    """Opcodes, and where backward branches go, as numbers of instructions."""
    opcodes, loops = [], []
    for i in range(0, len(code), 16):
        word = int.from_bytes(code[i : i + 16], "little")
        opcodes.append(word & 0x1FF)
        if opcodes[-1] == BRA:
            distance = word >> 34 & (1 << 48) - 1
            distance -= distance >> 47 << 48
            target = (i + 16 + 4 * (distance << 8 | word >> 16 & 0xFF)) // 16
            if target < i // 16:
                loops.append((target, i // 16))
    return opcodes, loops


def inner_loop(code):
    """The shortest loop with tensor-core products, as opcodes."""
    opcodes, loops = decode(code)
    bodies = [opcodes[begin : end + 1] for begin, end in loops]
    return min((body for body in bodies if IMMA in body), key=len)


source = pathlib.Path(__file__).parent.parent / "cuda/src/main/cuda/any4.cu"
with tempfile.TemporaryDirectory() as scratch:
    cubin = pathlib.Path(scratch) / "any4.cubin"
    flags = ["-cubin", "-arch=sm_90", "-std=c++17", "-DANY4_STREAM"]
    subprocess.run(["nvcc", *flags, "-o", cubin, source], check=True)
    kernels = dict(sections(cubin.read_bytes()))

print("| kernel | instructions | logic | permutes | weights per clock |")
print("|---|---|---|---|---|")
for name, products in KERNELS.items():
    counts = collections.Counter(inner_loop(kernels[name]))
    weights = counts[IMMA] / products * 16  # of a lane
    total = sum(counts.values()) / weights
    logic = sum(counts[opcode] for opcode in LOGIC) / weights
    print(f"| `{name}` | {total:.2f} | {logic:.2f} | {counts[PRMT] / weights:.2f} | {min(128 / total, 64 / logic):.0f} |")
