package io.any4.cli;

import io.any4.calibrate.QuantizationPlan;
import io.any4.quant.Any4Config;
import io.any4.quant.Method.Family;
import java.util.List;

/// Group sizes with which any4s and its kin take what any4 takes, whatever the length of a row: with four scales of a
/// byte for each of its groups of 128, which has a scale and a zero of two bytes.
///
/// Where rows are multiples of 128 these are the usual groups of 32. Shorter rows get smaller ones.
final class MatchedGroups {
    private static final int USUAL = 32;
    private static final int ANY4_GROUP = 128;
    private static final int SCALES_PER_GROUP = 4;

    private MatchedGroups() {}

    /// The overrides that bring them about, of the modules that need one.
    static List<String> overrides(QuantizationPlan plan) {
        return plan.modules().stream()
                .filter(module -> module.spec().method().family() == Family.LEARNED_TABLE_AND_SCALES)
                .filter(module -> size(module) != USUAL)
                .map(module -> "%s=group-size=%d".formatted(module.name(), size(module)))
                .toList();
    }

    private static int size(Any4Config.Module module) {
        int scales = SCALES_PER_GROUP * Math.ceilDiv(module.columns(), ANY4_GROUP);
        return Math.ceilDiv(module.columns(), scales);
    }
}
