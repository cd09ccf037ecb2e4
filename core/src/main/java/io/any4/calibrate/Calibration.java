package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.quant.ChannelStatistics;
import tools.jackson.databind.node.ObjectNode;

/// Runs a model on calibration data and tells what the inputs of its linear layers look like.
public final class Calibration {
    private Calibration() {}

    /// Statistics of the model as it is: every sequence runs once, whatever is quantized later.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if a sequence exceeds the model's context
    public static StatisticsSource onePass(Decoder decoder, CalibrationData data, CalibrationListener listener) {
        StatisticsCollector collector = new StatisticsCollector(decoder, new SharedInputs(decoder));
        KvCache cache = decoder.newCache(data.longest());
        int done = 0;
        for (int[] window : data.windows()) {
            cache.truncate(0);
            decoder.forward(window, cache, collector);
            listener.progress(++done, data.windows().size());
        }
        return new OnePassStatistics(collector, data);
    }

    /// Statistics that follow the quantization: each block is run on what the blocks before it produce with their
    /// quantized weights, once to look at it and once to go on.
    ///
    /// Takes the decoder over: use it for nothing else meanwhile.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if a sequence exceeds the model's context
    public static StatisticsSource sequential(Decoder decoder, CalibrationData data, CalibrationListener listener) {
        return new SequentialStatistics(decoder, data, listener);
    }

    /// Hessians for GPTQ, which follow the quantization layer by layer: see [CalibrationMode#GPTQ].
    ///
    /// Takes the decoder over: use it for nothing else meanwhile. Holds the hidden states of all sequences,
    /// 4 bytes x tokens x hidden size, and the Hessian of one input, 5 bytes x channels x channels; of experts
    /// up to 2 GiB.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if a sequence exceeds the model's context
    public static StatisticsSource gptq(Decoder decoder, CalibrationData data, CalibrationListener listener) {
        return hessians(decoder, data, Rounding.GPTQ, listener);
    }

    /// Hessians like those of [#gptq] for any way of rounding that needs them. To refine, an eighth of the data is
    /// held out: every eighth sequence, or the end of each if there are fewer. The Hessian of that is held as well.
    /// For asymmetric feedback, the hidden states of the original model and how the input differs are held too: as
    /// much memory again.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if a sequence exceeds the model's context
    public static StatisticsSource hessians(
            Decoder decoder, CalibrationData data, Rounding rounding, CalibrationListener listener) {
        return new FeedbackStatistics(decoder, data, rounding, listener);
    }

    /// Samples of the inputs of every layer, for methods that quantize these as well: see [CalibrationMode#SAMPLES].
    ///
    /// Takes the decoder over: use it for nothing else meanwhile. Holds the hidden states of all sequences,
    /// 4 bytes x tokens x hidden size, and up to 1024 tokens of each input of a block.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if a sequence exceeds the model's context
    public static StatisticsSource samples(Decoder decoder, CalibrationData data, CalibrationListener listener) {
        return new SampledStatistics(decoder, data, listener);
    }

    /// Calibrates in the given mode.
    public static StatisticsSource run(
            CalibrationMode mode, Decoder decoder, CalibrationData data, CalibrationListener listener) {
        return switch (mode) {
            case ONE_PASS -> onePass(decoder, data, listener);
            case SEQUENTIAL -> sequential(decoder, data, listener);
            case GPTQ -> gptq(decoder, data, listener);
            case GPTAQ -> hessians(decoder, data, Rounding.GPTAQ, listener);
            case SAMPLES -> samples(decoder, data, listener);
            case LAYERWISE -> hessians(decoder, data, Rounding.NEAREST, listener);
        };
    }

    /// A calibration that is still to be run: it can be planned with, but has no statistics.
    ///
    /// @param sequential whether it will be [#sequential] or [#onePass]
    public static StatisticsSource announced(CalibrationData data, boolean sequential) {
        return announced(data, sequential ? CalibrationMode.SEQUENTIAL : CalibrationMode.ONE_PASS);
    }

    /// A calibration by [#hessians] that is still to be run.
    public static StatisticsSource announced(CalibrationData data, Rounding rounding) {
        return announced(FeedbackStatistics.provenance(data, rounding));
    }

    /// A calibration that is still to be run in the given mode.
    public static StatisticsSource announced(CalibrationData data, CalibrationMode mode) {
        return announced(mode.provenance(data));
    }

    private static StatisticsSource announced(ObjectNode provenance) {
        return new StatisticsSource() {
            @Override
            public ChannelStatistics statistics(String module) {
                throw new IllegalStateException("the calibration was announced, but not run");
            }

            @Override
            public ObjectNode provenance() {
                return provenance;
            }
        };
    }
}
