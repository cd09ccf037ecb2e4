package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// AWQ (arXiv 2306.00978): scales up the input channels whose activations are large before quantizing, so that they
/// lose less, and leaves it to the layer's producer to scale its output down.
///
/// Any format may follow: AWQ's own integers, or a learned table.
public final class Awq {
    private static final double LEAST_SCALE = 1e-4;

    private final QuantizationSpec spec;
    private final ChannelStatistics statistics;
    private final @Nullable Hessian hessian;
    private final Settings settings;
    private final Team team;

    /// @param spec what the scaled weights will be quantized to
    /// @param statistics of the input that the layers share
    /// @param hessian of that input, by which errors are judged; null takes channels to be uncorrelated
    public Awq(
            QuantizationSpec spec,
            ChannelStatistics statistics,
            @Nullable Hessian hessian,
            Settings settings,
            Team team) {
        this.spec = spec;
        this.statistics = statistics;
        this.hessian = hessian;
        this.settings = settings;
        this.team = team;
    }

    /// How thoroughly to search.
    ///
    /// @param ratios powers of the activations that are tried, evenly spaced from 0 (no scaling) to below 1
    /// @param sampledRows rows of each weight that are tried; all if it has no more
    public record Settings(int ratios, int sampledRows) {
        public static final Settings USUAL = new Settings(20, 512);

        public Settings {
            if (ratios < 1 || sampledRows < 1) {
                throw new IllegalArgumentException("nothing to try: %d ratios, %d rows".formatted(ratios, sampledRows));
            }
        }
    }

    /// What the search found.
    ///
    /// @param scales what to multiply the columns of the weights with, and to divide the input by; per channel
    /// @param ratio the power of the activations that gave them
    /// @param error mean squared error of the layers' outputs with these scales, over the sampled rows
    /// @param unscaledError the same without scaling; never less
    public record Scales(float[] scales, double ratio, double error, double unscaledError) {}

    /// Finds the scales for layers that share an input, such as the query, key and value projections: of
    /// `s = E|x|^ratio`, centred around 1, those with the least squared error of the outputs.
    ///
    /// @param consumers the weights, `[out_features, channels]` each
    public Scales search(List<Tensor> consumers) {
        List<Tensor> samples = new ArrayList<>();
        for (Tensor consumer : consumers) {
            RowLoop.requireMatrix(consumer, statistics);
            samples.add(sample(consumer));
        }
        float[] best = scales(0);
        double bestRatio = 0;
        double unscaled = error(samples, best);
        double least = unscaled;
        for (int step = 1; step < settings.ratios(); step++) {
            double ratio = (double) step / settings.ratios();
            float[] scales = scales(ratio);
            double error = error(samples, scales);
            if (error < least) {
                least = error;
                best = scales;
                bestRatio = ratio;
            }
        }
        return new Scales(best, bestRatio, least, unscaled);
    }

    private float[] scales(double ratio) {
        double[] raw = new double[statistics.channels()];
        double largest = 0;
        double smallest = Double.POSITIVE_INFINITY;
        for (int j = 0; j < raw.length; j++) {
            raw[j] = Math.max(Math.pow(statistics.meanAbsolute()[j], ratio), LEAST_SCALE);
            largest = Math.max(largest, raw[j]);
            smallest = Math.min(smallest, raw[j]);
        }
        float[] scales = new float[raw.length];
        for (int j = 0; j < raw.length; j++) {
            scales[j] = (float) (raw[j] / Math.sqrt(largest * smallest));
        }
        return scales;
    }

    /// Evenly spaced rows, as F32.
    private Tensor sample(Tensor weights) {
        int rows = (int) Math.min(weights.rows(), settings.sampledRows());
        Tensor sample = Tensor.allocate(Arena.ofAuto(), DType.F32, rows, weights.columns());
        float[] row = new float[(int) weights.columns()];
        for (int i = 0; i < rows; i++) {
            weights.copyRow(weights.rows() * i / rows, row, 0);
            write(sample, i, row);
        }
        return sample;
    }

    private double error(List<Tensor> samples, float[] scales) {
        Quantizer quantizer = spec.quantizer();
        ChannelStatistics scaledStatistics = statistics.scaledBy(scales);
        double sum = 0;
        for (Tensor sample : samples) {
            try (Arena arena = Arena.ofShared()) {
                Tensor scaled = scaled(sample, scales, arena);
                Weight weight = quantizer.quantize(scaled, scaledStatistics, team, RowListener.NONE, arena);
                Tensor differences = differences(sample, weight, scales, scaled);
                double[] errors = hessian == null
                        ? OutputErrors.of(differences, statistics.secondMoment())
                        : OutputErrors.of(differences, hessian, team);
                for (double error : errors) {
                    sum += error;
                }
            }
        }
        return sum;
    }

    /// The weights with column `j` multiplied by `scales[j]`, as F32: what is to be quantized.
    public static Tensor scaled(Tensor weights, float[] scales, Arena arena) {
        Tensor scaled = Tensor.allocate(arena, DType.F32, weights.rows(), weights.columns());
        float[] row = new float[scales.length];
        for (int i = 0; i < weights.rows(); i++) {
            weights.copyRow(i, row, 0);
            for (int j = 0; j < row.length; j++) {
                row[j] *= scales[j];
            }
            write(scaled, i, row);
        }
        return scaled;
    }

    /// Overwrites `out` with what the stored weights, their columns scaled down again, differ by from the original.
    private static Tensor differences(Tensor original, Weight weight, float[] scales, Tensor out) {
        float[] row = new float[scales.length];
        float[] stored = new float[scales.length];
        for (int i = 0; i < weight.rows(); i++) {
            original.copyRow(i, row, 0);
            weight.dequantizeRow(i, stored, 0);
            for (int j = 0; j < row.length; j++) {
                row[j] = stored[j] / scales[j] - row[j];
            }
            write(out, i, row);
        }
        return out;
    }

    static void write(Tensor matrix, long row, float[] values) {
        java.lang.foreign.MemorySegment.copy(
                values, 0, matrix.data(), Tensor.FLOAT, row * values.length * 4L, values.length);
    }
}
