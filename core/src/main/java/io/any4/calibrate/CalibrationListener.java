package io.any4.calibrate;

/// Watches a calibration; called on the thread that runs it.
@FunctionalInterface
public interface CalibrationListener {
    /// Listens to nothing.
    CalibrationListener NONE = (done, total) -> {};

    /// Called after every sequence that went through the model, or, in sequential mode, through a block.
    void progress(int done, int total);
}
