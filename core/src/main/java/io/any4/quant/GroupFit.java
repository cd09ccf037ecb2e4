package io.any4.quant;

/// The best whole scales and codes of a row for a given table, every element on its own; serves one thread.
final class GroupFit {
    private final float[] row;
    private final float[] factors;
    private final int groupSize;
    private final ScaleSearch search;
    private final byte[] codes;
    private final float[] scales;

    /// @param row the weights; refilled for each row
    /// @param factors how much the error in each column counts
    GroupFit(float[] row, float[] factors, int groupSize, int levels) {
        this.row = row;
        this.factors = factors;
        this.groupSize = groupSize;
        search = new ScaleSearch(levels, groupSize);
        codes = new byte[row.length];
        scales = new float[Math.ceilDiv(row.length, groupSize)];
    }

    /// Fits to this ascending table from now on.
    void use(float[] table) {
        search.use(table);
    }

    /// Per group: a whole number from -127 to 127.
    float[] scales() {
        return scales;
    }

    byte[] codes() {
        return codes;
    }

    /// Fits what is in the row now.
    void fit() {
        for (int group = 0; group < scales.length; group++) {
            int from = group * groupSize;
            int size = Math.min(groupSize, row.length - from);
            System.arraycopy(row, from, search.targets(), 0, size);
            System.arraycopy(factors, from, search.costs(), 0, size);
            scales[group] = search.best(size, 0f);
            search.round(size, scales[group]);
            System.arraycopy(search.codes(), 0, codes, from, size);
        }
    }
}
