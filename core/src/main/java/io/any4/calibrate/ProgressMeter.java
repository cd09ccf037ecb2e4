package io.any4.calibrate;

import io.any4.quant.ErrorStatistics;

/// Turns finished rows into rates and estimates.
final class ProgressMeter {
    private static final double NANOS = 1e9;

    private final JobListener listener;
    private final int count;
    private final long totalWeights;
    private final long startNanos = System.nanoTime();

    private int index;
    private String tensor = "";
    private long tensorNanos;
    private long rows;
    private long columns;
    private boolean quantizing;
    private long weightsBefore;
    private long weightsThisRun;
    private ErrorStatistics errors = ErrorStatistics.EMPTY;

    /// @param count tensors and modules of the job
    /// @param totalWeights weights to quantize
    ProgressMeter(JobListener listener, int count, long totalWeights) {
        this.listener = listener;
        this.count = count;
        this.totalWeights = totalWeights;
    }

    /// A module that an earlier run has finished.
    void alreadyDone(String module, long weights, ErrorStatistics error) {
        index++;
        tensor = module;
        weightsBefore += weights;
        errors = errors.plus(error);
    }

    /// The next tensor begins.
    void start(String name, long rows, long columns, boolean quantizing) {
        index++;
        tensor = name;
        tensorNanos = System.nanoTime();
        this.rows = rows;
        this.columns = columns;
        this.quantizing = quantizing;
    }

    /// Some rows of the tensor are finished.
    void rows(long done, ErrorStatistics soFar) {
        double rate = done / seconds(tensorNanos);
        long weights = weightsThisRun + (quantizing ? done * columns : 0);
        long remaining = totalWeights - weightsBefore - weights;
        double left = weights == 0 ? Double.NaN : remaining * seconds(startNanos) / weights;
        double fraction = (double) (weightsBefore + weights) / totalWeights;
        double error = errors.plus(soFar).relativeError();
        listener.progress(new JobProgress(tensor, index, count, done, rows, rate, fraction, left, error));
    }

    /// The tensor is finished.
    void finish(ErrorStatistics error) {
        errors = errors.plus(error);
        weightsThisRun += quantizing ? rows * columns : 0;
    }

    private static double seconds(long since) {
        return Math.max(System.nanoTime() - since, 1) / NANOS;
    }
}
