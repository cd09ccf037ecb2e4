package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.quant.ChannelStatistics;
import io.any4.tinygemm.Weight;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Statistics of one block at a time, collected when they are first asked for: blocks that an earlier, interrupted run
/// finished are only walked through.
final class SequentialStatistics implements StatisticsSource {
    private final Decoder decoder;
    private final CalibrationData data;
    private final CalibrationListener listener;
    private final SharedInputs inputs;
    private final BlockWalk walk;
    private @Nullable StatisticsCollector collector;

    SequentialStatistics(Decoder decoder, CalibrationData data, CalibrationListener listener) {
        this.decoder = decoder;
        this.data = data;
        this.listener = listener;
        this.inputs = new SharedInputs(decoder);
        this.walk = new BlockWalk(decoder, data.windows());
    }

    @Override
    public @Nullable ChannelStatistics statistics(String module) {
        if (collector == null) {
            collector = new StatisticsCollector(decoder, inputs);
            observe(collector);
        }
        return collector.of(module);
    }

    private void observe(StatisticsCollector tap) {
        int total = walk.sequences() * (decoder.config().layers() + 1);
        for (int w = 0; w < walk.sequences(); w++) {
            if (walk.atHead()) {
                walk.head(w, tap);
            } else {
                walk.observe(w, tap);
            }
            listener.progress(walk.block() * walk.sequences() + w + 1, total);
        }
    }

    @Override
    public void quantized(int block, Map<String, Weight> weights) {
        walk.requireAt(block);
        walk.lend(weights);
        walk.advance();
        collector = null;
    }

    @Override
    public boolean sequential() {
        return true;
    }

    @Override
    public ObjectNode provenance() {
        return CalibrationMode.SEQUENTIAL.provenance(data);
    }
}
