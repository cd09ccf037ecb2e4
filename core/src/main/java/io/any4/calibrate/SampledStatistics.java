package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.quant.ChannelStatistics;
import io.any4.quant.InputSample;
import io.any4.tinygemm.Weight;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Samples of the inputs of one block at a time, as the unquantized model produces them.
final class SampledStatistics implements StatisticsSource {
    private final Decoder decoder;
    private final CalibrationData data;
    private final CalibrationListener listener;
    private final SharedInputs inputs;
    private final BlockWalk walk;
    private @Nullable StatisticsCollector channels;
    private @Nullable SampleCollector samples;

    SampledStatistics(Decoder decoder, CalibrationData data, CalibrationListener listener) {
        this.decoder = decoder;
        this.data = data;
        this.listener = listener;
        this.inputs = new SharedInputs(decoder);
        this.walk = new BlockWalk(decoder, data.windows());
    }

    @Override
    public @Nullable ChannelStatistics statistics(String module) {
        observe();
        return channels == null ? null : channels.of(module);
    }

    @Override
    public @Nullable InputSample sample(String module) {
        observe();
        return samples == null ? null : samples.of(module);
    }

    private void observe() {
        if (samples != null) {
            return;
        }
        StatisticsCollector ofChannels = new StatisticsCollector(decoder, inputs);
        SampleCollector ofRows = new SampleCollector(decoder, inputs, data.tokens());
        Tap both = (linear, x, tokens) -> {
            ofChannels.input(linear, x, tokens);
            ofRows.input(linear, x, tokens);
        };
        int total = walk.sequences() * (decoder.config().layers() + 1);
        for (int w = 0; w < walk.sequences(); w++) {
            if (walk.atHead()) {
                walk.head(w, both);
            } else {
                walk.observe(w, both);
            }
            listener.progress(walk.block() * walk.sequences() + w + 1, total);
        }
        channels = ofChannels;
        samples = ofRows;
    }

    @Override
    public void quantized(int block, Map<String, Weight> weights) {
        walk.requireAt(block);
        walk.advance();
        channels = null;
        samples = null;
    }

    @Override
    public boolean sequential() {
        return true;
    }

    @Override
    public ObjectNode provenance() {
        return CalibrationMode.SAMPLES.provenance(data);
    }
}
