package io.any4.cuda;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Carries out lists of operations on a GPU. A list whose launches were seen before is replayed as one
/// graph.
///
/// Lives on the GPU's thread.
final class Executor {
    /// Graphs kept, and memory that packed activations may take, before both are given back.
    private static final int MOST_GRAPHS = 256;

    private static final long MOST_PACKED_BYTES = 1L << 30;

    /// Lists shorter than this are launched one by one.
    private static final int WORTH_A_GRAPH = 8;

    private final Gpu gpu;
    private final Inputs inputs;
    private final Packing packing;
    private final Lowering lowering;
    private final Set<List<Launch>> seen = new LinkedHashSet<>();
    private final Map<List<Launch>, Gpu.Replay> replays = new HashMap<>();
    private List<Op> last = List.of();
    private Gpu.@Nullable Replay lastReplay;

    Executor(Gpu gpu) {
        this.gpu = gpu;
        inputs = new Inputs(gpu);
        packing = new Packing(gpu);
        lowering = new Lowering(gpu, inputs, packing);
    }

    void execute(List<Op> ops) {
        if (lastReplay != null && Repetition.of(ops, last)) {
            lowering.addInputs(ops);
            inputs.send(lowering.advancing());
            lastReplay.launch();
            return;
        }
        if (replays.size() >= MOST_GRAPHS || packing.bytes() > MOST_PACKED_BYTES) {
            gpu.synchronize();
            giveBack();
        }
        List<Launch> launches = lowering.lower(ops);
        inputs.send(lowering.advancing());
        last = ops;
        lastReplay = replay(launches);
        if (lastReplay == null) {
            launches.forEach(gpu::launch);
        } else {
            lastReplay.launch();
        }
    }

    /// The graph of launches that were seen before, or null.
    private Gpu.@Nullable Replay replay(List<Launch> launches) {
        Gpu.Replay known = replays.get(launches);
        if (known != null) {
            return known;
        }
        if (launches.size() < WORTH_A_GRAPH) {
            return null;
        }
        if (seen.add(launches)) {
            if (seen.size() > MOST_GRAPHS) {
                seen.remove(seen.iterator().next());
            }
            return null;
        }
        seen.remove(launches);
        Gpu.Replay made = gpu.prepare(launches);
        replays.put(launches, made);
        return made;
    }

    /// Frees graphs and packed activations; nothing may be running.
    void giveBack() {
        replays.values().forEach(Gpu.Replay::close);
        replays.clear();
        lastReplay = null;
        last = List.of();
        seen.clear();
        packing.free();
    }
}
