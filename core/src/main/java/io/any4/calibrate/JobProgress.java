package io.any4.calibrate;

/// How far a [QuantizationJob] is.
///
/// @param tensor the tensor or module in work, or just finished
/// @param index its position in the job, from 1 on
/// @param count tensors and modules in the job
/// @param rowsDone finished rows of it
/// @param rows all of its rows
/// @param rowsPerSecond of it, in this run; 0 until measured
/// @param fraction finished share of all weights that are to be quantized, 0 to 1
/// @param secondsLeft estimate for the rest of the job; NaN until measured
/// @param relativeError squared error so far over squared weights, all finished modules together
public record JobProgress(
        String tensor,
        int index,
        int count,
        long rowsDone,
        long rows,
        double rowsPerSecond,
        double fraction,
        double secondsLeft,
        double relativeError) {}
