package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Round-to-nearest integers of 2, 3, 4 or 8 bits per group.
///
/// Asymmetric: `scale = (max - min) / (2^b - 1)`, `code = round((w - min) / scale)`, stored value `code * scale +
/// min` (arXiv 2507.04610, table 2). With an integer zero point the range is first extended to 0, and `zero = -z
/// * scale` for the integer `z = -round(min / scale)` (AWQ, arXiv 2306.00978; GPTQ, arXiv 2210.17323). Symmetric:
/// `scale = max|w| / (2^(b-1) - 1)`, stored value `(code - 2^(b-1)) * scale`. All in 32-bit arithmetic, rounding
/// half to even.
final class IntQuantizer implements Quantizer {
    private final QuantizationSpec spec;

    IntQuantizer(QuantizationSpec spec) {
        this.spec = spec;
    }

    @Override
    public Weight quantize(
            Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, statistics);
        int columns = Math.toIntExact(weights.columns());
        WeightTensors output = new WeightTensors(spec, weights.rows(), columns, arena);
        if (spec.bits() < 8) {
            int levels = spec.method().levels();
            output.writeTable(0, Grid.integers(spec.symmetric() ? -levels / 2 : 0, levels));
        }
        new RowLoop(weights, statistics, () -> new Worker(columns, output)).run(team, listener);
        return output.weight();
    }

    private final class Worker extends RowWorker {
        private static final float LEAST_RANGE = 1e-6f;
        private static final float LEAST_RANGE_INTEGER_ZERO = 1e-5f;

        private final WeightTensors output;
        private final DType metadata = spec.metadata();
        private final float topCode = spec.method().levels() - 1;
        private final float topSigned = spec.method().levels() / 2 - 1;
        private final byte[] codes;
        private final float[] scales;
        private final float[] zeros;

        Worker(int columns, WeightTensors output) {
            super(columns);
            this.output = output;
            codes = new byte[columns];
            scales = new float[output.groups()];
            zeros = new float[output.groups()];
        }

        @Override
        void quantize(int index) {
            int from = 0;
            for (int group = 0; group < scales.length; group++) {
                int to = output.groupEnd(group);
                if (spec.symmetric()) {
                    symmetric(index, group, from, to);
                } else if (spec.zeroPoint() == ZeroPoint.INTEGER) {
                    integerZero(index, group, from, to);
                } else {
                    floatZero(index, group, from, to);
                }
                from = to;
            }
            output.writeRow(index, codes, scales, zeros);
        }

        private void floatZero(int index, int group, int from, int to) {
            float min = Groups.min(row, from, to);
            float range = Math.max(Groups.max(row, from, to) - min, LEAST_RANGE);
            float scale = WeightTensors.round(range / topCode, metadata, index);
            float zero = WeightTensors.round(min, metadata, index);
            scales[group] = scale;
            zeros[group] = zero;
            for (int j = from; j < to; j++) {
                float code = Math.clamp((float) Math.rint((row[j] - zero) / scale), 0f, topCode);
                codes[j] = (byte) (int) code;
                stored[j] = code * scale + zero;
            }
        }

        private void integerZero(int index, int group, int from, int to) {
            float min = Math.min(Groups.min(row, from, to), 0f);
            float range = Math.max(Math.max(Groups.max(row, from, to), 0f) - min, LEAST_RANGE_INTEGER_ZERO);
            float scale = WeightTensors.round(range / topCode, metadata, index);
            float point = Math.clamp(-(float) Math.rint(min / scale), 0f, topCode);
            float zero = WeightTensors.round(-point * scale, metadata, index);
            scales[group] = scale;
            zeros[group] = zero;
            for (int j = from; j < to; j++) {
                float code = Math.clamp((float) Math.rint(row[j] / scale) + point, 0f, topCode);
                codes[j] = (byte) (int) code;
                stored[j] = code * scale + zero;
            }
        }

        private void symmetric(int index, int group, int from, int to) {
            float absmax = Math.max(Groups.absoluteMax(row, from, to), LEAST_RANGE);
            float scale = WeightTensors.round(absmax / topSigned, metadata, index);
            scales[group] = scale;
            int offset = spec.bits() == 8 ? 0 : (int) topSigned + 1; // bytes are signed, table entries are counted
            for (int j = from; j < to; j++) {
                float code = Math.clamp((float) Math.rint(row[j] / scale), -topSigned, topSigned);
                codes[j] = (byte) ((int) code + offset);
                stored[j] = code * scale;
            }
        }
    }
}
