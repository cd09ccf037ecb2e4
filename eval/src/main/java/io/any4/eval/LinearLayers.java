package io.any4.eval;

import io.any4.model.Decoder;
import io.any4.model.Linear;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Rotation;
import io.any4.tinygemm.Weight;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// The linear layers of a decoder's blocks: what quantization is about.
final class LinearLayers {
    private LinearLayers() {}

    /// The weights of one block by the layer's name within the block, such as `mlp.down_proj`, in the order they run.
    static SequencedMap<String, Weight> inBlock(Decoder decoder, int block) {
        String prefix = "model.layers.%d.".formatted(block);
        SequencedMap<String, Weight> layers = new LinkedHashMap<>();
        for (List<Linear> group : decoder.inputGroups(block)) {
            for (Linear linear : group) {
                layers.put(
                        linear.name().substring(prefix.length()),
                        linear.matrix().weight());
            }
        }
        return layers;
    }

    /// Whether two models express their weights in the same coordinates, so that these can be compared one by one.
    static boolean comparable(Decoder one, Decoder other) {
        return rotations(one).equals(rotations(other));
    }

    private static List<InputTransform> rotations(Decoder decoder) {
        return decoder.inputGroups(0).stream()
                .flatMap(List::stream)
                .flatMap(linear -> linear.transforms().stream())
                .filter(Rotation.class::isInstance)
                .toList();
    }

    /// Storage per weight over all blocks, side data included.
    static double bitsPerWeight(Decoder decoder) {
        long bytes = 0;
        double weights = 0;
        for (int block = 0; block < decoder.config().layers(); block++) {
            for (Map.Entry<String, Weight> layer : inBlock(decoder, block).entrySet()) {
                Weight weight = layer.getValue();
                bytes += weight.bytes();
                weights += (double) weight.rows() * weight.columns();
            }
        }
        return 8 * bytes / weights;
    }

    /// Squared error of a stored weight, and the squared original.
    record SquaredError(double error, double weight) {
        static final SquaredError NONE = new SquaredError(0, 0);
        static final SquaredError UNKNOWN = new SquaredError(Double.NaN, Double.NaN);

        static SquaredError of(Weight original, Weight stored) {
            return IntStream.range(0, original.rows())
                    .parallel()
                    .mapToObj(row -> ofRow(original, stored, row))
                    .toList()
                    .stream()
                    .reduce(NONE, SquaredError::plus);
        }

        private static SquaredError ofRow(Weight original, Weight stored, int row) {
            float[] expected = new float[original.columns()];
            float[] actual = new float[original.columns()];
            original.dequantizeRow(row, expected, 0);
            stored.dequantizeRow(row, actual, 0);
            double error = 0;
            double weight = 0;
            for (int j = 0; j < expected.length; j++) {
                double difference = (double) actual[j] - expected[j];
                error += difference * difference;
                weight += (double) expected[j] * expected[j];
            }
            return new SquaredError(error, weight);
        }

        SquaredError plus(SquaredError other) {
            return new SquaredError(error + other.error, weight + other.weight);
        }

        double relative() {
            return weight == 0 ? 0 : error / weight;
        }
    }
}
