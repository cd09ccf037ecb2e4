package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Formats whose table is given: NF4, both FP4s and MX4. Each group is scaled so that its largest magnitude meets
/// the largest level (for MX4, to a power of two), then every element takes its level.
final class FixedTableQuantizer implements Quantizer {
    private static final float E2M1_MAX = 6f;
    private static final int E2M1_MAX_EXPONENT = 2;

    private final QuantizationSpec spec;
    private final Grid grid;

    FixedTableQuantizer(QuantizationSpec spec) {
        this.spec = spec;
        this.grid = switch (spec.method()) {
            case NF4 -> Grid.nf4();
            case FP4 -> Grid.fp4();
            case FP4_E2M1, MX4 -> Grid.e2m1();
            default -> throw new IllegalArgumentException(spec.method() + " has no fixed table");
        };
    }

    @Override
    public Weight quantize(
            Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, statistics);
        int columns = Math.toIntExact(weights.columns());
        WeightTensors output = new WeightTensors(spec, weights.rows(), columns, arena);
        float[] levels = storedLevels();
        output.writeTable(0, levels);
        new RowLoop(weights, statistics, () -> new Worker(columns, output, levels)).run(team, listener);
        return output.weight();
    }

    private float[] storedLevels() {
        float[] levels = grid.levels().clone();
        for (int k = 0; k < levels.length; k++) {
            levels[k] = WeightTensors.round(levels[k], spec.metadata(), 0);
        }
        return levels;
    }

    /// The scale of a group whose largest magnitude is `absmax`, as stored.
    private float scale(float absmax, int row) {
        return switch (spec.method()) {
            case MX4 -> sharedPower(absmax);
            case FP4_E2M1 -> WeightTensors.round(absmax / E2M1_MAX, spec.metadata(), row);
            default -> WeightTensors.round(absmax, spec.metadata(), row);
        };
    }

    /// The power of two that brings a group into the range of E2M1: the exponent of `absmax`, the next one if its
    /// mantissa is 1.5 or more, less E2M1's largest exponent; no smaller than E8M0 can hold.
    static float sharedPower(float absmax) {
        int rounded = (Float.floatToRawIntBits(absmax) + (1 << 22)) >>> 23;
        int exponent = rounded - 127 - E2M1_MAX_EXPONENT;
        return Math.scalb(1f, Math.max(exponent, -127));
    }

    /// The factor that undoes a scale; 0 for scales too small to have one, which makes the whole group 0.
    private static float inverse(float scale, float absmax) {
        float inverse = 1f / scale;
        return absmax < Float.MIN_NORMAL || Float.isInfinite(inverse) ? 0f : inverse;
    }

    private final class Worker extends RowWorker {
        private final WeightTensors output;
        private final float[] levels;
        private final byte[] codes;
        private final float[] scales;

        Worker(int columns, WeightTensors output, float[] levels) {
            super(columns);
            this.output = output;
            this.levels = levels;
            codes = new byte[columns];
            scales = new float[output.groups()];
        }

        @Override
        void quantize(int index) {
            float[] thresholds = grid.thresholds();
            int from = 0;
            for (int group = 0; group < scales.length; group++) {
                int to = output.groupEnd(group);
                float absmax = Groups.absoluteMax(row, from, to);
                float scale = scale(absmax, index);
                float inverse = inverse(scale, absmax);
                scales[group] = scale;
                for (int j = from; j < to; j++) {
                    int code = Grid.code(row[j] * inverse, thresholds);
                    codes[j] = (byte) code;
                    stored[j] = levels[code] * scale;
                }
                from = to;
            }
            output.writeRow(index, codes, scales, null);
        }
    }
}
