package io.any4.quant;

import io.any4.tensor.BitPacking;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A quantized weight with codes of its own, and the tables, scales and zeros of another.
final class Recoded {
    private final Weight original;
    private final Tensor codes;

    Recoded(Weight original, Arena arena) {
        this.original = original;
        Tensor like = switch (original) {
            case LutWeight lut -> lut.codes();
            case IntWeight integers -> integers.codes();
            case DenseWeight dense -> throw new IllegalArgumentException("a dense weight has no codes: " + dense);
        };
        codes = Tensor.allocate(arena, like.dtype(), like.rows(), like.columns());
    }

    /// Stores a row's codes, one per byte.
    void writeRow(int row, byte[] rowCodes) {
        if (original instanceof LutWeight lut) {
            BitPacking.packRow(rowCodes, lut.bits(), codes, row);
        } else {
            MemorySegment.copy(
                    rowCodes, 0, codes.data(), ValueLayout.JAVA_BYTE, (long) row * rowCodes.length, rowCodes.length);
        }
    }

    Weight weight() {
        return switch (original) {
            case LutWeight w ->
                new LutWeight(w.bits(), w.columns(), w.groupSize(), codes, w.lut(), w.scale(), w.zero());
            case IntWeight w -> new IntWeight(w.groupSize(), codes, w.scale(), w.zero());
            case DenseWeight w -> w;
        };
    }
}
