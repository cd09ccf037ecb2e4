package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One run of the reference's any-bit quantizer: its inputs, and its objective for the results of ours.
final class GoldenCase {
    private final JsonNode test;
    private final float[] weights;
    private final int columns;
    private final int group;
    private final int levels;
    private final boolean symmetric;
    private final boolean scaled;
    private final float[] channels;

    GoldenCase(JsonNode test, GoldenFile inputs) {
        this.test = test;
        String matrix = test.path("matrix").asString();
        weights = inputs.floats(matrix + ".weight");
        columns = inputs.dim(matrix + ".weight", 1);
        group = test.path("group").asInt();
        levels = 1 << test.path("n_bit").asInt();
        symmetric = test.path("symmetric").asBoolean();
        scaled = test.path("scale_sample_weight").asBoolean();
        channels = channels(matrix, inputs);
    }

    /// The cases whose optimum is known.
    static List<GoldenCase> withOptimum() {
        GoldenFile inputs = GoldenFile.open("inputs");
        return GoldenFile.cases()
                .valueStream()
                .filter(test -> test.has("optimal"))
                .map(test -> new GoldenCase(test, inputs))
                .toList();
    }

    /// The cases with one table for the matrix.
    static List<GoldenCase> global() {
        GoldenFile inputs = GoldenFile.open("inputs");
        return GoldenFile.cases()
                .valueStream()
                .filter(test -> test.path("key").asString().endsWith(".global"))
                .map(test -> new GoldenCase(test, inputs))
                .toList();
    }

    private float[] channels(String matrix, GoldenFile inputs) {
        float[] factors = switch (test.path("sample_weight").asString()) {
            case "act" -> inputs.floats(matrix + ".mean_abs_act");
            case "actsigned" -> inputs.floats(matrix + ".mean_act");
            default -> new float[columns];
        };
        if (test.path("sample_weight").asString().equals("none")) {
            Arrays.fill(factors, 1f);
        }
        for (int j = 0; j < columns; j++) {
            factors[j] = Math.abs(factors[j]);
        }
        return factors;
    }

    String key() {
        return test.path("key").asString();
    }

    double optimum() {
        return test.path("optimal").path("km_obj").asDouble();
    }

    double reference(String measure, String statistic) {
        return test.path(measure).path(statistic).asDouble();
    }

    /// Whether a [QuantizationSpec] can ask for the case's weighting: there is none by activations alone.
    boolean expressible() {
        return scaled || test.path("sample_weight").asString().equals("none");
    }

    /// The objective of clustering the reference's own scaled values.
    double clustered(Clustering clustering) {
        KMeans kmeans = new KMeans(clustering, columns, levels);
        float[] values = new float[columns];
        float[] elementWeights = new float[columns];
        float[] table = new float[levels];
        double sum = 0;
        for (int row = 0; row < weights.length / columns; row++) {
            for (int j = 0; j < columns; j++) {
                int at = row * columns + j;
                values[j] = (weights[at] - origin(at)) / scale(at);
                elementWeights[j] = channels[j] * (scaled ? scale(at) : 1f);
            }
            kmeans.points().load(values, elementWeights, columns);
            kmeans.cluster(levels, row, table);
            for (int j = 0; j < columns; j++) {
                double error = nearest(table, values[j]) - values[j];
                sum += elementWeights[j] * error * error;
            }
        }
        return sum;
    }

    private static double nearest(float[] table, float value) {
        double best = table[0];
        for (float level : table) {
            best = Math.abs(level - (double) value) < Math.abs(best - value) ? level : best;
        }
        return best;
    }

    /// The same objective for what the quantizer stores.
    double quantized(String settings) {
        float[] stored = stored(settings);
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            double scale = scale(i);
            double error = (weights[i] - (double) stored[i]) / scale;
            sum += error * error * channels[i % columns] * (scaled ? scale : 1);
        }
        return sum;
    }

    double meanSquaredError(String settings) {
        float[] stored = stored(settings);
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            double error = weights[i] - (double) stored[i];
            sum += error * error;
        }
        return sum / weights.length;
    }

    private float[] stored(String settings) {
        String weighting = switch (test.path("sample_weight").asString()) {
            case "act" -> "mean-abs";
            case "actsigned" -> "mean";
            default -> scaled ? "mean" : "none";
        };
        String spec = "any%d,group-size=%d,symmetric=%s,metadata=f32,weighting=%s,%s"
                .formatted(Integer.numberOfTrailingZeros(levels), group, symmetric, weighting, settings);
        Tensor matrix = Tensor.ofFloats(DType.F32, weights, weights.length / columns, columns);
        try (Team team = new Team(1)) {
            Weight weight =
                    QuantizationSpec.parse(spec).quantizer().quantize(matrix, statistics(), team, RowListener.NONE);
            return IntGoldenTest.values(weight);
        }
    }

    private @Nullable ChannelStatistics statistics() {
        double[] means = new double[columns];
        for (int j = 0; j < columns; j++) {
            means[j] = channels[j];
        }
        return new ChannelStatistics(means, means, means, 64);
    }

    private float scale(int at) {
        int from = at / group * group;
        float reach = symmetric
                ? Groups.absoluteMax(weights, from, from + group)
                : Groups.max(weights, from, from + group) - Groups.min(weights, from, from + group);
        return Math.max(reach, 1e-6f) / (symmetric ? levels / 2 - 1 : levels - 1);
    }

    private float origin(int at) {
        int from = at / group * group;
        return symmetric ? 0f : Groups.min(weights, from, from + group);
    }
}
