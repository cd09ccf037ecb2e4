package io.any4.tinygemm;

/// The largest value of each block of an array, so that a search for large values can pass over most blocks.
///
/// Keeps its working memory; for one thread.
final class BlockMaxima {
    /// Values of a block.
    private static final int LENGTH = 128;

    private final Kernels kernels;
    private final Candidates order = new Candidates();
    private float[] values = new float[0];
    private float[] maxima = new float[0];
    private int from;
    private int count;
    private int blocks;

    BlockMaxima(Kernels kernels) {
        this.kernels = kernels;
    }

    /// Looks at `values[from + i]` for `i < count`, which must not change meanwhile.
    ///
    /// @return the largest, or NaN if a value is not a number
    float of(float[] values, int from, int count) {
        this.values = values;
        this.from = from;
        this.count = count;
        blocks = Math.ceilDiv(count, LENGTH);
        if (maxima.length < blocks) {
            maxima = new float[blocks];
        }
        float largest = Float.NEGATIVE_INFINITY;
        for (int block = 0; block < blocks; block++) {
            maxima[block] = kernels.max(values, from + start(block), from + start(block + 1));
            largest = Math.max(largest, maxima[block]);
        }
        return largest;
    }

    private int start(int block) {
        return Math.min(count, block * LENGTH);
    }

    /// Where the largest value stands first.
    ///
    /// @param largest what [#of] has returned
    int first(float largest) {
        int block = 0;
        while (maxima[block] != largest) {
            block++;
        }
        int i = start(block);
        while (values[from + i] != largest) {
            i++;
        }
        return i;
    }

    /// A value that at least `rank` values reach, and not many more if they are spread evenly; negative
    /// infinity if there are too few to tell.
    float reachedBy(int rank) {
        if (rank > blocks) {
            return Float.NEGATIVE_INFINITY;
        }
        order.clear();
        for (int block = 0; block < blocks; block++) {
            if (maxima[block] > Float.NEGATIVE_INFINITY) {
                order.add(block, maxima[block], 1);
            }
        }
        return rank > order.count() ? Float.NEGATIVE_INFINITY : order.logit(order.find(rank - 0.5));
    }

    /// Adds those that are at least `threshold`, in their order and without infinite ones, each with a weight
    /// of 1.
    void collect(float threshold, Candidates candidates) {
        for (int block = 0; block < blocks; block++) {
            if (maxima[block] >= threshold) {
                for (int i = start(block); i < start(block + 1); i++) {
                    if (values[from + i] >= threshold && values[from + i] > Float.NEGATIVE_INFINITY) {
                        candidates.add(i, values[from + i], 1);
                    }
                }
            }
        }
    }
}
