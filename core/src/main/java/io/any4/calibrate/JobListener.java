package io.any4.calibrate;

/// Watches a [QuantizationJob]; called on the thread that runs it. Throwing from it interrupts the job, which can be
/// continued later.
@FunctionalInterface
public interface JobListener {
    /// Listens to nothing.
    JobListener NONE = progress -> {};

    /// Called after every block of rows and after every tensor.
    void progress(JobProgress progress);
}
