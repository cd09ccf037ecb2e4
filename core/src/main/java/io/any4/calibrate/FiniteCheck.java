package io.any4.calibrate;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.concurrent.atomic.LongAccumulator;

/// Looks for NaN and infinity in tensors that are copied; quantizers look at theirs themselves.
final class FiniteCheck {
    private static final int CHUNK = 1 << 16;
    private static final int EXPONENT_MASK = 0x7f800000;

    private FiniteCheck() {}

    /// @throws InvalidInputException naming tensor and row of the first number that is not finite
    static void require(String name, Tensor tensor, Team team, Path directory) {
        if (!tensor.dtype().isFloat()) {
            return;
        }
        LongAccumulator first = new LongAccumulator(Math::min, Long.MAX_VALUE);
        int chunks = Math.toIntExact(Math.ceilDiv(tensor.elements(), (long) CHUNK));
        team.run(chunks, 1, (from, to) -> {
            float[] values = new float[CHUNK];
            for (int chunk = from; chunk < to; chunk++) {
                long start = (long) chunk * CHUNK;
                int count = (int) Math.min(CHUNK, tensor.elements() - start);
                tensor.copyTo(start, values, 0, count);
                int bad = firstNotFinite(values, count);
                if (bad >= 0) {
                    first.accumulate(start + bad);
                }
            }
        });
        long index = first.get();
        if (index != Long.MAX_VALUE) {
            long columns = tensor.shape().rank() == 0 ? 1 : tensor.columns();
            throw new InvalidInputException("tensor %s in %s has %s in row %d, column %d: the file is damaged"
                    .formatted(name, directory, tensor.getFloat(index), index / columns, index % columns));
        }
    }

    private static int firstNotFinite(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            if ((Float.floatToRawIntBits(values[i]) & EXPONENT_MASK) == EXPONENT_MASK) {
                return i;
            }
        }
        return -1;
    }
}
