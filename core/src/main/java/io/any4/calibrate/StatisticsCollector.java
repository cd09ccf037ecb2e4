package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Linear;
import io.any4.model.Tap;
import io.any4.model.WeightNames;
import io.any4.quant.ChannelStatistics;
import io.any4.tinygemm.Buffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Collects the statistics of the inputs of all linear layers while a model runs; those that share an input share them.
///
/// An expert is calibrated on the tokens routed to it. One that saw fewer than [#MIN_EXPERT_TOKENS] takes the
/// statistics of the same projection pooled over all experts of its block, its own tokens included.
final class StatisticsCollector implements Tap {
    static final long MIN_EXPERT_TOKENS = 32;
    private static final Pattern EXPERT = Pattern.compile("\\.experts\\.\\d+\\.");

    private final Decoder decoder;
    /// By module: the first module with the same input.
    private final Map<String, String> leaders = new HashMap<>();
    /// By first module: the width of the input.
    private final Map<String, Integer> widths = new HashMap<>();
    private final Map<String, ChannelSums> sums = new HashMap<>();
    private float[] host = new float[0];

    StatisticsCollector(Decoder decoder) {
        this.decoder = decoder;
        for (int block = 0; block < decoder.config().layers(); block++) {
            for (List<Linear> group : decoder.inputGroups(block)) {
                Linear leader = group.getFirst();
                widths.put(leader.name(), leader.matrix().columns());
                group.forEach(linear -> leaders.put(linear.name(), leader.name()));
            }
        }
        widths.put(WeightNames.HEAD, decoder.config().hiddenSize());
        if (decoder.config().tiedEmbeddings()) {
            leaders.put(WeightNames.EMBEDDING, WeightNames.HEAD);
        }
    }

    @Override
    public void input(String linear, Buffer x, int tokens) {
        Integer width = widths.get(linear);
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
        String leader = leaders.getOrDefault(module, module);
        ChannelSums own = sums.get(leader);
        boolean expert = EXPERT.matcher(leader).find();
        if (expert && (own == null || own.tokens() < MIN_EXPERT_TOKENS)) {
            own = pooled(leader);
        }
        return own == null ? null : own.means();
    }

    private @Nullable ChannelSums pooled(String expert) {
        String projection = withoutNumber(expert);
        ChannelSums pool = null;
        for (Map.Entry<String, ChannelSums> entry : sums.entrySet()) {
            if (withoutNumber(entry.getKey()).equals(projection)) {
                pool = pool == null ? new ChannelSums(entry.getValue().channels()) : pool;
                pool.add(entry.getValue());
            }
        }
        return pool;
    }

    private static String withoutNumber(String module) {
        return EXPERT.matcher(module).replaceFirst(".experts.*.");
    }
}
