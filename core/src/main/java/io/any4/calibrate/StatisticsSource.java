package io.any4.calibrate;

import io.any4.quant.ChannelStatistics;
import io.any4.quant.Hessian;
import io.any4.quant.InputSample;
import io.any4.quant.InputShift;
import io.any4.tinygemm.Weight;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Tells a [QuantizationJob] what the inputs of the layers look like, block after block.
///
/// The job asks for the modules of block 0, then of block 1 and so on, and last for those outside the blocks. Modules
/// of a run that is being continued are not asked for again. Within a block it asks in the order of execution.
public interface StatisticsSource {
    /// No calibration: all input channels count the same.
    StatisticsSource NONE = module -> null;

    /// Statistics of a linear layer's input.
    ///
    /// @param module path such as `model.layers.0.mlp.down_proj`
    /// @return null if nothing is known, so that all channels count the same
    @Nullable
    ChannelStatistics statistics(String module);

    /// The second moments of a linear layer's input, from which [#rounding] is done.
    ///
    /// @return the same object for layers with the same input, valid until a layer with another input is asked for;
    ///     null for plain rounding
    default @Nullable Hessian hessian(String module) {
        return null;
    }

    /// How the same input differs from that of the unquantized model, over the tokens of [#hessian].
    ///
    /// @return null if that is not to be made up for
    default @Nullable InputShift shift(String module) {
        return null;
    }

    /// Samples of a linear layer's input, for methods that quantize inputs as well.
    ///
    /// @return null if there are none
    default @Nullable InputSample sample(String module) {
        return null;
    }

    /// The second moments over tokens that [#hessian] has not seen; null if all were used.
    default @Nullable Hessian heldOut(String module) {
        return null;
    }

    /// How codes are chosen where there is a Hessian.
    default Rounding rounding() {
        return Rounding.NEAREST;
    }

    /// Where the statistics come from, as `config.json` shall tell; null if there are none. Equal descriptions have to
    /// mean equal statistics: an interrupted run goes on only if this has not changed.
    default @Nullable ObjectNode provenance() {
        return null;
    }

    /// Whether [#quantized(String, Weight)] and [#quantized(int, Map)] are wanted.
    default boolean sequential() {
        return false;
    }

    /// A module is quantized; what runs after it sees what this weight produces.
    ///
    /// @param weight valid until all of the block is quantized and [#quantized(int, Map)] has returned
    default void quantized(String module, Weight weight) {}

    /// All modules of a block that shall be quantized are; later blocks see inputs that these weights produce.
    /// Called for every block of the model in order, even if nothing of it was quantized.
    ///
    /// @param weights by module path, valid during the call only
    default void quantized(int block, Map<String, Weight> weights) {}
}
