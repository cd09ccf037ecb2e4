package io.any4.cuda;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Carries out lists of operations on a GPU. A list whose launches were seen before is replayed as one
/// graph.
///
/// Lives on the GPU's thread.
final class Executor {
    /// Graphs kept, and memory that packed activations may take, before both are given back.
    private static final int MOST_GRAPHS = 32;

    private static final long MOST_PACKED_BYTES = 1L << 30;

    /// Lists shorter than this are launched one by one.
    private static final int WORTH_A_GRAPH = 8;

    private final Gpu gpu;
    private final Inputs inputs;
    private final Packing packing;
    private final Lowering lowering;
    private final Map<List<Launch>, Integer> seen = new LinkedHashMap<>();
    private final Map<List<Launch>, Gpu.Replay> replays = new LinkedHashMap<>();

    Executor(Gpu gpu) {
        this.gpu = gpu;
        inputs = new Inputs(gpu);
        packing = new Packing(gpu);
        lowering = new Lowering(gpu, inputs, packing);
    }

    void execute(List<Op> ops) {
        if (replays.size() >= MOST_GRAPHS || packing.bytes() > MOST_PACKED_BYTES) {
            gpu.synchronize();
            giveBack();
        }
        List<Launch> launches = lowering.lower(ops);
        inputs.send();
        Gpu.Replay replay = replays.get(launches);
        if (replay != null) {
            replay.launch();
        } else if (launches.size() >= WORTH_A_GRAPH && seen.merge(launches, 1, Integer::sum) > 1) {
            Gpu.Replay made = gpu.prepare(launches);
            seen.remove(launches);
            replays.put(launches, made);
            made.launch();
        } else {
            launches.forEach(gpu::launch);
        }
        if (seen.size() > MOST_GRAPHS) {
            seen.remove(seen.keySet().iterator().next());
        }
    }

    /// Frees graphs and packed activations; nothing may be running.
    void giveBack() {
        replays.values().forEach(Gpu.Replay::close);
        replays.clear();
        seen.clear();
        packing.free();
    }

    /// Graphs that can be replayed.
    int graphs() {
        return replays.size();
    }
}
