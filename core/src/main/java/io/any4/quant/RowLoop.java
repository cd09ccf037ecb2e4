package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Runs over the rows of a matrix, block by block, each block shared by a team.
///
/// Error statistics are added up in row order, so they too do not depend on the number of threads.
final class RowLoop {
    private static final int BLOCK_ELEMENTS = 1 << 21;

    private final Tensor weights;
    private final Supplier<RowWorker> newWorker;
    private final float[] outputFactors;
    private final ConcurrentLinkedQueue<RowWorker> idle = new ConcurrentLinkedQueue<>();

    /// @param newWorker makes the worker of one thread
    RowLoop(Tensor weights, @Nullable ChannelStatistics statistics, Supplier<RowWorker> newWorker) {
        this.weights = weights;
        this.newWorker = newWorker;
        this.outputFactors = Weighting.SECOND_MOMENT.channelFactors((int) weights.columns(), statistics);
    }

    /// Checks the arguments of [Quantizer#quantize].
    static void requireMatrix(Tensor weights, @Nullable ChannelStatistics statistics) {
        if (weights.shape().rank() != 2 || !weights.dtype().isFloat() || weights.elements() == 0) {
            throw new IllegalArgumentException("expected a float matrix with rows and columns, not %s %s"
                    .formatted(weights.dtype(), weights.shape()));
        }
        if (statistics != null && statistics.channels() != weights.columns()) {
            throw new IllegalArgumentException("statistics of %d channels for a matrix with %d columns"
                    .formatted(statistics.channels(), weights.columns()));
        }
    }

    /// Quantizes all rows and returns what that cost.
    ErrorStatistics run(Team team, RowListener listener) {
        int rows = Math.toIntExact(weights.rows());
        int blockRows = Math.clamp(BLOCK_ELEMENTS / weights.columns(), 1, rows);
        ErrorStatistics[] errors = new ErrorStatistics[blockRows];
        ErrorStatistics sum = ErrorStatistics.EMPTY;
        for (int first = 0; first < rows; first += blockRows) {
            int start = first;
            int count = Math.min(blockRows, rows - first);
            team.run(count, 1, (from, to) -> quantize(start, from, to, errors));
            for (int i = 0; i < count; i++) {
                sum = sum.plus(errors[i]);
            }
            listener.progress(first + count, rows, sum);
        }
        return sum;
    }

    private void quantize(int start, int from, int to, ErrorStatistics[] errors) {
        RowWorker reused = idle.poll();
        RowWorker worker = reused == null ? newWorker.get() : reused;
        for (int i = from; i < to; i++) {
            weights.copyRow(start + i, worker.row, 0);
            requireFinite(worker.row, start + i);
            worker.quantize(start + i);
            errors[i] = ErrorStatistics.ofRow(worker.row, worker.stored, outputFactors);
        }
        idle.add(worker);
    }

    /// @throws InvalidInputException if there is a NaN or an infinity in the row
    static void requireFinite(float[] row, int index) {
        int largest = 0;
        for (float value : row) {
            largest = Math.max(largest, Float.floatToRawIntBits(value) & 0x7fffffff);
        }
        if (largest < 0x7f800000) {
            return;
        }
        int column = 0;
        while (Float.isFinite(row[column])) {
            column++;
        }
        throw new InvalidInputException(
                "the weight in row %d, column %d is %s; only finite weights can be quantized: the file is damaged or was trained to divergence"
                        .formatted(index, column, row[column]));
    }
}
