package io.any4.eval;

import io.any4.eval.RowHistogram.Grid;
import io.any4.model.Decoder;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Picks a row whose learned table has something to show, and lays its levels beside those of int4 and nf4.
public final class RowHistograms {
    private static final int BINS = 48;

    private final Weight original;
    private final LutWeight learned;
    private final int row;
    private final float[] weights;
    private final float[] least;
    private final float[] most;

    private RowHistograms(Weight original, LutWeight learned, int row) {
        this.original = original;
        this.learned = learned;
        this.row = row;
        weights = new float[original.columns()];
        original.dequantizeRow(row, weights, 0);
        least = new float[learned.groups()];
        most = new float[learned.groups()];
        Arrays.fill(least, Float.POSITIVE_INFINITY);
        Arrays.fill(most, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < weights.length; j++) {
            int group = j / learned.groupSize();
            least[group] = Math.min(least[group], weights[j]);
            most[group] = Math.max(most[group], weights[j]);
        }
    }

    /// The row of the middle block's last layer whose learned table differs most from evenly spaced levels, or null if
    /// the quantized model has no learned tables there or is rotated.
    ///
    /// @param name what to call the learned table
    public static @Nullable RowHistogram of(Decoder original, Decoder quantized, String name) {
        if (!LinearLayers.comparable(original, quantized)) {
            return null;
        }
        int block = original.config().layers() / 2;
        Map.Entry<String, Weight> layer = LinearLayers.inBlock(original, block).lastEntry();
        if (!(LinearLayers.inBlock(quantized, block).get(layer.getKey()) instanceof LutWeight learned)
                || learned.sharedTable()) {
            return null;
        }
        int row = leastEven(learned);
        return new RowHistograms(layer.getValue(), learned, row)
                .histogram("model.layers.%d.%s".formatted(block, layer.getKey()), name);
    }

    private static int leastEven(LutWeight learned) {
        int best = 0;
        double largest = -1;
        for (int row = 0; row < learned.rows(); row++) {
            double unevenness = unevenness(table(learned, row));
            if (unevenness > largest) {
                largest = unevenness;
                best = row;
            }
        }
        return best;
    }

    /// Variance of the gaps between levels, relative to their mean gap; 0 for a table without extent.
    private static double unevenness(float[] table) {
        double mean = (table[table.length - 1] - table[0]) / (double) (table.length - 1);
        double sum = 0;
        for (int k = 1; k < table.length; k++) {
            double gap = (table[k] - table[k - 1]) / mean - 1;
            sum += gap * gap;
        }
        return mean > 0 ? sum : 0;
    }

    private static float[] table(LutWeight weight, int row) {
        float[] table = new float[weight.levels()];
        weight.lut().copyTo(weight.lut().rows() == 1 ? 0 : (long) row * table.length, table, 0, table.length);
        return table;
    }

    private RowHistogram histogram(String tensor, String name) {
        List<Grid> grids = new ArrayList<>();
        try (Team team = new Team(1)) {
            for (Method method : fixedFormats()) {
                grids.add(grid(method.id(), quantize(method, team), 0));
            }
        }
        grids.add(grid(name, learned, row));
        return new RowHistogram(tensor, row, counts(), grids);
    }

    private List<Method> fixedFormats() {
        return learned.bits() == 4 ? List.of(Method.INT4, Method.NF4) : List.of(Method.parse("int" + learned.bits()));
    }

    private LutWeight quantize(Method method, Team team) {
        Tensor values = Tensor.ofFloats(weights, 1, original.columns());
        QuantizationSpec spec = QuantizationSpec.of(method).with("group-size", String.valueOf(learned.groupSize()));
        return (LutWeight) spec.quantizer().quantize(values, null, team, RowListener.NONE);
    }

    /// Levels in the units of the groups, averaged over the groups of the row.
    private Grid grid(String name, LutWeight weight, int weightRow) {
        float[] table = table(weight, weightRow);
        List<Double> levels = new ArrayList<>();
        for (float entry : table) {
            double sum = 0;
            for (int g = 0; g < least.length; g++) {
                long group = (long) weightRow * least.length + g;
                Tensor zero = weight.zero();
                double value = entry * weight.scale().getFloat(group) + (zero == null ? 0 : zero.getFloat(group));
                sum += (value - least[g]) / extent(g);
            }
            levels.add(sum / least.length);
        }
        return new Grid(name, levels.stream().sorted().toList());
    }

    /// What one unit of a group is in weights; any positive number for a group whose weights are all the same.
    private double extent(int group) {
        return Math.max((double) most[group] - least[group], Float.MIN_NORMAL);
    }

    private List<Integer> counts() {
        Integer[] counts = new Integer[BINS];
        Arrays.fill(counts, 0);
        for (int j = 0; j < weights.length; j++) {
            int group = j / learned.groupSize();
            double unit = (weights[j] - least[group]) / extent(group);
            counts[Math.clamp((int) (unit * BINS), 0, BINS - 1)]++;
        }
        return List.of(counts);
    }
}
