package io.any4.cli;

import io.any4.calibrate.Calibration;
import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.JobListener;
import io.any4.calibrate.QuantizationJob;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.QuantizationResult;
import io.any4.calibrate.StatisticsSource;
import io.any4.calibrate.Stopwatch;
import io.any4.model.Decoder;
import io.any4.tinygemm.Team;
import java.nio.file.Path;

/// The steps of a quantization, with their progress on the terminal.
final class Quantization {
    private Quantization() {}

    /// Whether a plan asks for the statistics of a calibration at all.
    static boolean needsStatistics(QuantizationPlan plan) {
        return plan.modules().stream().anyMatch(module -> module.spec().usesStatistics());
    }

    static StatisticsSource calibrate(Decoder decoder, CalibrationData data, Terminal terminal) {
        try (Progress progress = terminal.progress("calibrating", data.windows().size(), Progress.Unit.of("windows"))) {
            return Calibration.onePass(decoder, data, (done, total) -> progress.to(done));
        }
    }

    /// @param watch started when the work began
    static QuantizationResult run(
            QuantizationPlan plan,
            Path output,
            StatisticsSource statistics,
            Team team,
            Terminal terminal,
            Stopwatch watch) {
        long weights = plan.quantizedWeights();
        try (Progress progress = terminal.progress("quantizing", weights, Progress.Unit.weights(weights))) {
            JobListener listener = now -> {
                progress.note("%s, %.0f rows/s, error %.2f %%"
                        .formatted(now.tensor(), now.rowsPerSecond(), 100 * now.relativeError()));
                progress.to(Math.round(now.fraction() * weights));
            };
            return QuantizationJob.run(plan, output, statistics, team, listener, watch);
        }
    }
}
