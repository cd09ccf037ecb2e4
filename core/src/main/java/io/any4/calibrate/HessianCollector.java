package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.quant.Hessian;
import io.any4.tinygemm.Buffer;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Collects the Hessians of some inputs of a block while it runs.
///
/// An expert's is that of the tokens routed to it. With fewer than a token per [#CHANNELS_PER_TOKEN] channels it says
/// nothing about most directions, and the expert does without.
final class HessianCollector implements Tap, AutoCloseable {
    static final int CHANNELS_PER_TOKEN = 16;

    private final Decoder decoder;
    private final Arena arena = Arena.ofShared();
    private final Map<String, MomentSums> sums = new HashMap<>();
    private final Map<String, MomentSums> heldOutSums = new HashMap<>();
    private final Map<String, Hessian> finished = new HashMap<>();
    private final Map<String, Hessian> heldOut = new HashMap<>();
    private double share = 1;

    HessianCollector(Decoder decoder, SharedInputs inputs, List<String> leaders) {
        this.decoder = decoder;
        for (String leader : leaders) {
            Integer width = inputs.width(leader);
            if (width == null) {
                throw new IllegalArgumentException(leader + " shares the input of another module");
            }
            sums.put(leader, new MomentSums(decoder.device(), width, arena));
        }
    }

    /// From now on, only this share of the tokens of each pass counts; those after it are held out.
    void holdOutFrom(double share) {
        this.share = share;
    }

    boolean covers(String leader) {
        return sums.containsKey(leader);
    }

    @Override
    public void input(String linear, Buffer x, int tokens) {
        MomentSums own = sums.get(linear);
        if (own != null) {
            float[] rows = new float[Math.multiplyExact(tokens, own.channels())];
            decoder.device().read(x, 0, rows, rows.length);
            int used = (int) Math.round(share * tokens);
            if (used > 0) {
                own.add(rows, used);
            }
            if (used < tokens) {
                float[] rest = Arrays.copyOfRange(rows, used * own.channels(), rows.length);
                heldOutSums
                        .computeIfAbsent(linear, name -> new MomentSums(decoder.device(), own.channels(), arena))
                        .add(rest, tokens - used);
            }
        }
    }

    /// The Hessian of a covered input once all tokens have been seen, or null if there were too few; the same object
    /// each time. It ends with [#close].
    @Nullable
    Hessian of(String leader) {
        MomentSums own = sums.get(leader);
        if (own == null || own.tokens() == 0) {
            return null;
        }
        boolean starved = own.tokens() * CHANNELS_PER_TOKEN < own.channels();
        return SharedInputs.isExpert(leader) && starved ? null : finished.computeIfAbsent(leader, name -> own.mean());
    }

    /// The Hessian of the held-out tokens, or null if there were none.
    @Nullable
    Hessian heldOut(String leader) {
        MomentSums own = heldOutSums.get(leader);
        return own == null ? null : heldOut.computeIfAbsent(leader, name -> own.mean());
    }

    @Override
    public void close() {
        arena.close();
    }
}
