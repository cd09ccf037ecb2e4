package io.any4.calibrate;

import io.any4.quant.Any4Config;
import java.util.ArrayList;
import java.util.List;

/// Groups modules in model order by the block they are part of.
final class Blocks {
    private Blocks() {}

    /// Consecutive modules of one block, or of none, together.
    static List<List<Any4Config.Module>> of(List<Any4Config.Module> modules) {
        List<List<Any4Config.Module>> blocks = new ArrayList<>();
        for (Any4Config.Module module : modules) {
            if (blocks.isEmpty() || !sameBlock(blocks.getLast().getFirst(), module)) {
                blocks.add(new ArrayList<>());
            }
            blocks.getLast().add(module);
        }
        return blocks;
    }

    private static boolean sameBlock(Any4Config.Module a, Any4Config.Module b) {
        return ModelTensors.block(a.name()).equals(ModelTensors.block(b.name()));
    }
}
