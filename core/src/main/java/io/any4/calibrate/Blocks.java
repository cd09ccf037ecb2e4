package io.any4.calibrate;

import io.any4.quant.Any4Config;
import java.util.ArrayList;
import java.util.List;

/// Groups modules by the block they are part of.
final class Blocks {
    private Blocks() {}

    /// One group per block, empty if nothing of it is quantized, and a last group for the modules outside the blocks.
    static List<List<Any4Config.Module>> of(List<Any4Config.Module> modules, int blocks) {
        List<List<Any4Config.Module>> groups = new ArrayList<>();
        for (int i = 0; i <= blocks; i++) {
            groups.add(new ArrayList<>());
        }
        for (Any4Config.Module module : modules) {
            groups.get(ModelTensors.block(module.name()).orElse(blocks)).add(module);
        }
        return groups;
    }
}
