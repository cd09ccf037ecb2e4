package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.quant.InputSample;
import io.any4.tinygemm.Buffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Keeps some rows of the inputs of all linear layers while a model runs: of each input up to [#MOST], evenly spread
/// over the calibration data, and of an expert's the first ones routed to it.
///
/// An expert with fewer than [StatisticsCollector#MIN_EXPERT_TOKENS] tokens takes those of the same projection from
/// all experts of its block.
final class SampleCollector implements Tap {
    static final int MOST = 1024;

    private final Decoder decoder;
    private final SharedInputs inputs;
    private final long stride;
    private final Map<String, Rows> rows = new HashMap<>();

    /// @param tokens of the calibration data
    SampleCollector(Decoder decoder, SharedInputs inputs, long tokens) {
        this.decoder = decoder;
        this.inputs = inputs;
        this.stride = Math.ceilDiv(tokens, MOST);
    }

    private static final class Rows {
        private final int width;
        private float[] values = new float[0];
        private long seen;
        private int kept;

        Rows(int width) {
            this.width = width;
        }

        void keep(float[] x, int from) {
            int needed = (kept + 1) * width;
            if (values.length < needed) {
                values = Arrays.copyOf(values, Math.min(MOST * width, Math.max(needed, 2 * values.length)));
            }
            System.arraycopy(x, from, values, kept * width, width);
            kept++;
        }
    }

    @Override
    public void input(String linear, Buffer x, int tokens) {
        Integer width = inputs.width(linear);
        if (width == null) {
            return;
        }
        float[] host = new float[Math.multiplyExact(tokens, width)];
        decoder.device().read(x, 0, host, host.length);
        Rows kept = rows.computeIfAbsent(linear, name -> new Rows(width));
        long every = SharedInputs.isExpert(linear) ? 1 : stride;
        for (int t = 0; t < tokens; t++) {
            if (kept.seen++ % every == 0 && kept.kept < MOST) {
                kept.keep(host, t * width);
            }
        }
    }

    /// Rows of the input of a module; null if nothing went through it.
    @Nullable
    InputSample of(String module) {
        String leader = inputs.leader(module);
        Rows own = rows.get(leader);
        if (SharedInputs.isExpert(leader) && (own == null || own.kept < StatisticsCollector.MIN_EXPERT_TOKENS)) {
            own = pooled(SharedInputs.anyExpert(leader));
        }
        return own == null ? null : new InputSample(own.values, own.kept, own.width);
    }

    private @Nullable Rows pooled(String projection) {
        Rows pool = null;
        for (String name : rows.keySet().stream().sorted().toList()) {
            Rows source = rows.get(name);
            if (source != null && SharedInputs.anyExpert(name).equals(projection)) {
                pool = pool == null ? new Rows(source.width) : pool;
                for (int t = 0; t < source.kept && pool.kept < MOST; t++) {
                    pool.keep(source.values, t * source.width);
                }
            }
        }
        return pool;
    }
}
