/// Machine code that Java writes: an assembler for the few x86-64 instructions that the Vector API does not
/// offer, memory to run it from, and the programs of integer products over quantized weights.
///
/// The Vector API has no multiplication of 16-bit or 8-bit integers that adds neighbours, which is what makes
/// a dot product twice to five times as dense as one of 32-bit floats. Nothing here is compiled, shipped or
/// fetched: each program is written out by a method, instruction by instruction, for the shape of one weight.
@NullMarked
package io.any4.machine;

import org.jspecify.annotations.NullMarked;
