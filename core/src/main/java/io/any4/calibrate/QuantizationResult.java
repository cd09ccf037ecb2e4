package io.any4.calibrate;

import io.any4.quant.ErrorStatistics;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// What a finished [QuantizationJob] reports.
///
/// @param errors what quantization cost each module, in model order
/// @param time what it took, interrupted runs that it continued included
public record QuantizationResult(SequencedMap<String, ErrorStatistics> errors, QuantizationTime time) {
    public QuantizationResult {
        errors = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(errors));
    }

    /// What quantization cost all modules together.
    public ErrorStatistics total() {
        return errors.values().stream().reduce(ErrorStatistics.EMPTY, ErrorStatistics::plus);
    }
}
