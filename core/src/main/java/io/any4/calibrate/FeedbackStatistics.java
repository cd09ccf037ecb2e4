package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.quant.ChannelStatistics;
import io.any4.quant.Hessian;
import io.any4.quant.InputShift;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Hessians for GPTQ and refinement, stage by stage: the input of a layer is observed once everything that runs
/// before it is quantized ("true sequential").
///
/// A stage is run as far as the input it is about. Memory is bounded by the hidden states of all sequences and by the
/// Hessians of a stage; of those of experts as many as fit [#HESSIAN_BYTES] are collected at a time.
///
/// For asymmetric feedback (GPTAQ) the sequences go through the original model as well, whose hidden states are held
/// too, and one more matrix of the size of a Hessian. Experts do without: which tokens reach them differs between the
/// two models.
final class FeedbackStatistics implements StatisticsSource {
    static final long HESSIAN_BYTES = 2L << 30;
    private static final int HELD_OUT = 8;

    private final Decoder decoder;
    private final CalibrationData data;
    private final Rounding rounding;
    private final CalibrationListener listener;
    private final SharedInputs inputs;
    private final BlockWalk walk;
    private final @Nullable BlockWalk original;
    private final Map<String, Weight> quantized = new HashMap<>();
    private @Nullable StatisticsCollector channels;
    private @Nullable HessianCollector hessians;
    private @Nullable ShiftCollector shifts;

    FeedbackStatistics(Decoder decoder, CalibrationData data, Rounding rounding, CalibrationListener listener) {
        this.decoder = decoder;
        this.data = data;
        this.rounding = rounding;
        this.listener = listener;
        this.inputs = new SharedInputs(decoder);
        this.walk = new BlockWalk(decoder, data.windows());
        this.original = rounding.asymmetric() ? new BlockWalk(decoder.twin(), data.windows()) : null;
    }

    @Override
    public @Nullable ChannelStatistics statistics(String module) {
        observe(inputs.leader(module));
        return channels == null ? null : channels.of(module);
    }

    @Override
    public @Nullable Hessian hessian(String module) {
        String leader = inputs.leader(module);
        observe(leader);
        return hessians == null ? null : hessians.of(leader);
    }

    @Override
    public @Nullable InputShift shift(String module) {
        String leader = inputs.leader(module);
        observe(leader);
        return shifts != null && shifts.covers(leader) ? shifts.shift() : null;
    }

    @Override
    public @Nullable Hessian heldOut(String module) {
        String leader = inputs.leader(module);
        observe(leader);
        return hessians == null ? null : hessians.heldOut(leader);
    }

    @Override
    public Rounding rounding() {
        return rounding;
    }

    private void observe(String leader) {
        Integer width = inputs.width(leader);
        if (width == null || hessians != null && hessians.covers(leader)) {
            return;
        }
        forget();
        List<List<String>> stages = walk.atHead() ? List.of(List.of(leader)) : inputs.stages(walk.block());
        int stage = 0;
        while (!stages.get(stage).contains(leader)) {
            stage++;
        }
        if (!walk.atHead()) {
            walk.lend(quantized);
        }
        channels = new StatisticsCollector(decoder, inputs);
        hessians = new HessianCollector(decoder, inputs, batch(stages.get(stage), leader));
        shifts = original == null || SharedInputs.isExpert(leader) ? null : new ShiftCollector(decoder, leader, width);
        run(leader, stage, channels, hessians, shifts);
    }

    private void run(
            String leader,
            int stage,
            StatisticsCollector ofChannels,
            HessianCollector ofPairs,
            @Nullable ShiftCollector ofShift) {
        Tap tap = (linear, x, tokens) -> {
            ofChannels.input(linear, x, tokens);
            ofPairs.input(linear, x, tokens);
        };
        int stages = inputs.stages(0).size();
        int total = (decoder.config().layers() * stages + 1) * walk.sequences();
        for (int w = 0; w < walk.sequences(); w++) {
            ofPairs.holdOutFrom(share(w));
            if (ofShift == null || original == null) {
                pass(walk, w, leader, tap);
            } else {
                pass(original, w, leader, ofShift.original());
                Tap shift = ofShift.quantized();
                pass(walk, w, leader, (linear, x, tokens) -> {
                    tap.input(linear, x, tokens);
                    shift.input(linear, x, tokens);
                });
            }
            listener.progress((walk.block() * stages + stage) * walk.sequences() + w + 1, total);
        }
    }

    private static void pass(BlockWalk walk, int sequence, String leader, Tap tap) {
        if (walk.atHead()) {
            walk.head(sequence, tap);
        } else if (SharedInputs.isExpert(leader)) {
            walk.observe(sequence, tap); // which expert runs last depends on the tokens
        } else {
            walk.observeUpTo(sequence, leader, tap);
        }
    }

    /// How much of a sequence, from its beginning, is not held out.
    private double share(int sequence) {
        if (rounding.refinements() == 0) {
            return 1;
        }
        if (walk.sequences() < HELD_OUT) {
            return 1 - 1.0 / HELD_OUT;
        }
        return sequence % HELD_OUT == HELD_OUT - 1 ? 0 : 1;
    }

    /// As many leaders of a stage, from this one on, as have room for their Hessians together.
    private List<String> batch(List<String> stage, String first) {
        List<String> batch = new ArrayList<>();
        long bytes = 0;
        for (String leader : stage.subList(stage.indexOf(first), stage.size())) {
            long width = Objects.requireNonNull(inputs.width(leader));
            bytes += 4 * width * width * (rounding.refinements() > 0 ? 2 : 1);
            if (!batch.isEmpty() && bytes > HESSIAN_BYTES) {
                break;
            }
            batch.add(leader);
        }
        return batch;
    }

    private void forget() {
        if (hessians != null) {
            hessians.close();
        }
        if (shifts != null) {
            shifts.close();
        }
        hessians = null;
        shifts = null;
        channels = null;
    }

    @Override
    public void quantized(String module, Weight weight) {
        quantized.put(module, weight);
    }

    @Override
    public void quantized(int block, Map<String, Weight> weights) {
        walk.requireAt(block);
        forget();
        walk.lend(weights);
        walk.advance();
        if (original != null) {
            original.advance();
        }
        quantized.clear();
    }

    @Override
    public boolean sequential() {
        return true;
    }

    @Override
    public ObjectNode provenance() {
        return provenance(data, rounding);
    }

    static ObjectNode provenance(CalibrationData data, Rounding rounding) {
        ObjectNode node = mode(rounding).provenance(data);
        return rounding.refinements() > 0 ? node.put("refine", rounding.refinements()) : node;
    }

    private static CalibrationMode mode(Rounding rounding) {
        if (rounding.asymmetric()) {
            return CalibrationMode.GPTAQ;
        }
        return rounding.feedback() ? CalibrationMode.GPTQ : CalibrationMode.LAYERWISE;
    }
}
