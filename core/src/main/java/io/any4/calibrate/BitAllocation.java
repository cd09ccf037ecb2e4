package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Config;
import io.any4.quant.ErrorStatistics;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/// Bits and group size of every layer of the blocks, chosen so that the predicted loss is least while an average number
/// of bits per weight, side data included, is kept.
///
/// The predicted loss of a layer is its sensitivity times its relative squared weight error (HIGGS, arXiv 2411.17525,
/// section 5), which is measured on some of its rows for every choice; the choice is then solved exactly.
///
/// @param layers the modules, in the order of the plan
/// @param bitsPerWeight what they take on average
/// @param predictedLoss KL divergence from the unquantized model, in nats
public record BitAllocation(List<Layer> layers, double bitsPerWeight, double predictedLoss) {
    private static final int[] BITS = {2, 3, 4, 8};
    private static final int[] GROUP_SIZES = {32, 64, 128};

    /// Rows whose error stands for a layer's.
    private static final int SAMPLED_ROWS = 64;

    /// What was chosen for a layer.
    ///
    /// @param spec how it is to be quantized
    /// @param sensitivity see [Sensitivities]
    /// @param relativeError squared error of its weights relative to their squares
    public record Layer(String module, QuantizationSpec spec, double sensitivity, double relativeError) {
        /// The override that brings this about, for [QuantizationSettings#withOverrides].
        public String override() {
            String size = spec.groupSize() == QuantizationSpec.PER_ROW ? "row" : String.valueOf(spec.groupSize());
            return "%s=method=%s,group-size=%s".formatted(module, spec.method().id(), size);
        }
    }

    private record Choice(QuantizationSpec spec, double relativeError) {}

    public BitAllocation {
        layers = List.copyOf(layers);
    }

    /// Chooses.
    ///
    /// @param plan whose modules in blocks are meant; their methods say which family of formats is used
    /// @param sensitivities by module
    /// @param bits the average to keep
    /// @throws InvalidInputException if a method has no forms of other widths, or if the average is too low
    public static BitAllocation choose(
            QuantizationPlan plan, SequencedMap<String, Double> sensitivities, double bits, Team team) {
        List<Any4Config.Module> modules = plan.modules().stream()
                .filter(module -> sensitivities.containsKey(module.name()))
                .toList();
        List<List<Choice>> choices = new ArrayList<>();
        List<List<Knapsack.Option>> options = new ArrayList<>();
        double weights = 0;
        for (Any4Config.Module module : modules) {
            double sensitivity = sensitivities.getOrDefault(module.name(), 0.0);
            List<Choice> ofModule = measured(plan.checkpoint(), module, team);
            choices.add(ofModule);
            options.add(ofModule.stream()
                    .map(choice -> new Knapsack.Option(
                            choice.spec().bytes(module.rows(), module.columns()), sensitivity * choice.relativeError()))
                    .toList());
            weights += (double) module.rows() * module.columns();
        }
        int[] chosen = Knapsack.solve(options, (long) Math.floor(bits * weights / 8));
        if (chosen == null) {
            throw new InvalidInputException(String.format(
                    Locale.ROOT, "%.2f bits per weight are too few for any choice of formats: allow more", bits));
        }
        return result(modules, sensitivities, choices, options, chosen, weights);
    }

    private static BitAllocation result(
            List<Any4Config.Module> modules,
            SequencedMap<String, Double> sensitivities,
            List<List<Choice>> choices,
            List<List<Knapsack.Option>> options,
            int[] chosen,
            double weights) {
        List<Layer> layers = new ArrayList<>();
        double bytes = 0;
        double loss = 0;
        for (int i = 0; i < chosen.length; i++) {
            Choice choice = choices.get(i).get(chosen[i]);
            String name = modules.get(i).name();
            double sensitivity = sensitivities.getOrDefault(name, 0.0);
            layers.add(new Layer(name, choice.spec(), sensitivity, choice.relativeError()));
            bytes += options.get(i).get(chosen[i]).cost();
            loss += options.get(i).get(chosen[i]).loss();
        }
        return new BitAllocation(layers, 8 * bytes / weights, loss);
    }

    private static List<Choice> measured(Checkpoint checkpoint, Any4Config.Module module, Team team) {
        Tensor rows = someRows(checkpoint.tensor(module.name() + ModelTensors.WEIGHT));
        List<Choice> choices = new ArrayList<>();
        for (int bits : BITS) {
            Method method = ofBits(module.spec().method(), bits);
            for (int groupSize : GROUP_SIZES) {
                QuantizationSpec spec =
                        module.spec().with("method", method.id()).with("group-size", String.valueOf(groupSize));
                ErrorStatistics[] error = {ErrorStatistics.EMPTY};
                RowListener listener = (done, count, soFar) -> error[0] = soFar;
                spec.quantizer().quantize(rows, null, team, listener);
                choices.add(new Choice(spec, error[0].relativeError()));
            }
        }
        return choices;
    }

    /// Rows spread evenly over a matrix.
    private static Tensor someRows(Tensor weights) {
        int columns = Math.toIntExact(weights.columns());
        int count = (int) Math.min(SAMPLED_ROWS, weights.rows());
        float[] values = new float[count * columns];
        for (int i = 0; i < count; i++) {
            weights.copyRow(i * weights.rows() / count, values, i * columns);
        }
        return Tensor.ofFloats(values, count, columns);
    }

    /// The form of a method with that many bits; at 8 bits that is `int8` for all.
    private static Method ofBits(Method method, int bits) {
        String digit = String.valueOf(method.bits());
        return switch (method.family()) {
            case INTEGER, LEARNED_TABLE, LEARNED_TABLE_AND_SCALES ->
                bits == 8 ? Method.INT8 : Method.parse(method.id().replace(digit, String.valueOf(bits)));
            case FIXED_TABLE, SEARCHED_FLOAT ->
                throw new InvalidInputException(
                        "%s has no forms of 2, 3 and 8 bits to choose from: use any4, any4s or int4"
                                .formatted(method.id()));
        };
    }
}
