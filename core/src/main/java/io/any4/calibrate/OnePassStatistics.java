package io.any4.calibrate;

import io.any4.quant.ChannelStatistics;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Everything collected in advance.
record OnePassStatistics(StatisticsCollector collector, CalibrationData data) implements StatisticsSource {
    @Override
    public @Nullable ChannelStatistics statistics(String module) {
        return collector.of(module);
    }

    @Override
    public ObjectNode provenance() {
        return CalibrationMode.ONE_PASS.provenance(data);
    }
}
