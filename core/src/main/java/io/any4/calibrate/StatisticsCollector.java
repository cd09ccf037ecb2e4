package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.quant.ChannelStatistics;
import io.any4.tinygemm.Buffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Collects the statistics of the inputs of all linear layers while a model runs; those that share an input share them.
///
/// An expert is calibrated on the tokens routed to it. One that saw fewer than [#MIN_EXPERT_TOKENS] takes the
/// statistics of the same projection pooled over all experts of its block, its own tokens included.
final class StatisticsCollector implements Tap {
    static final long MIN_EXPERT_TOKENS = 32;

    private final Decoder decoder;
    private final SharedInputs inputs;
    private final Map<String, ChannelSums> sums = new HashMap<>();
    private float[] host = new float[0];

    StatisticsCollector(Decoder decoder, SharedInputs inputs) {
        this.decoder = decoder;
        this.inputs = inputs;
    }

    @Override
    public void input(String linear, Buffer x, int tokens) {
        Integer width = inputs.width(linear);
        if (width != null) {
            int floats = Math.multiplyExact(tokens, width);
            if (host.length < floats) {
                host = new float[floats];
            }
            decoder.device().read(x, 0, host, floats);
            sums.computeIfAbsent(linear, name -> new ChannelSums(width)).add(host, tokens);
        }
    }

    /// What is known about the input of a module; null if nothing went through it.
    @Nullable
    ChannelStatistics of(String module) {
        String leader = inputs.leader(module);
        ChannelSums own = sums.get(leader);
        if (SharedInputs.isExpert(leader) && (own == null || own.tokens() < MIN_EXPERT_TOKENS)) {
            own = pooled(leader);
        }
        return own == null ? null : own.means();
    }

    private @Nullable ChannelSums pooled(String expert) {
        String projection = SharedInputs.anyExpert(expert);
        ChannelSums pool = null;
        for (Map.Entry<String, ChannelSums> entry : sums.entrySet()) {
            if (SharedInputs.anyExpert(entry.getKey()).equals(projection)) {
                pool = pool == null ? new ChannelSums(entry.getValue().channels()) : pool;
                pool.add(entry.getValue());
            }
        }
        return pool;
    }
}
