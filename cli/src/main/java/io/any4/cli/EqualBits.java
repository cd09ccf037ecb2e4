package io.any4.cli;

import io.any4.calibrate.QuantizationPlan;
import io.any4.quant.Any4Config;
import io.any4.quant.Method;
import io.any4.quant.Method.Family;
import io.any4.quant.QuantizationSpec;
import java.util.ArrayList;
import java.util.List;

/// Settings with which a matrix takes no more than any4 with groups of 128 takes, and hardly less: groups as small as
/// that allows, whatever the length of a row.
///
/// For any4s and its kin also which weights share a table. A table per row is worth its bits where rows are long. In
/// short rows the same bits buy more as scales of groups of a few weights; docs/accuracy.md has the measurements.
final class EqualBits {
    /// Rows up to this length share a table.
    static final int LONGEST_SHARING_ROW = 1024;

    private EqualBits() {}

    /// The overrides that bring them about, of the modules that need one.
    static List<String> overrides(QuantizationPlan plan) {
        List<String> overrides = new ArrayList<>();
        for (Any4Config.Module module : plan.modules()) {
            String settings = settings(module);
            if (!settings.isEmpty()) {
                overrides.add(module.name() + "=" + settings);
            }
        }
        return overrides;
    }

    private static String settings(Any4Config.Module module) {
        QuantizationSpec spec = module.spec();
        boolean measure = spec.method().family() == Family.LEARNED_TABLE && !spec.sharesTable();
        if (measure || spec.bits() == 8 || spec.quantizesInputs()) {
            return "";
        }
        String table =
                spec.method().family() == Family.LEARNED_TABLE_AND_SCALES && module.columns() <= LONGEST_SHARING_ROW
                        ? "table=matrix,"
                        : "";
        QuantizationSpec sharing = table.isEmpty() ? spec : spec.with("table", "matrix");
        int size = groupSize(sharing, module.rows(), module.columns());
        return table.isEmpty() && size == spec.groupSize(module.columns()) ? "" : table + "group-size=" + size;
    }

    /// The smallest that costs no more than any4 does; all of a row if none is that cheap.
    private static int groupSize(QuantizationSpec spec, long rows, int columns) {
        Method any = Method.parse("any" + spec.bits());
        long allowed = QuantizationSpec.of(any).bytes(rows, columns);
        int size = 1;
        while (size < columns && spec.with("group-size", String.valueOf(size)).bytes(rows, columns) > allowed) {
            size++;
        }
        return size;
    }
}
