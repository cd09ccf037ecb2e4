package io.any4.quant;

/// How the table of a row is found: ways to one-dimensional weighted k-means.
public enum Clustering {
    /// The optimum, by dynamic programming over the sorted values.
    EXACT("exact"),
    /// Dynamic programming over a few hundred bins, then Lloyd steps: within a fraction of a per cent of the
    /// optimum.
    FAST("fast"),
    /// Lloyd's algorithm from a k-means++ start, as in the paper, for comparison with it.
    LLOYD("lloyd"),
    /// Lloyd's algorithm from values chosen at random (this and the next two: arXiv 2507.04610, section 4, on
    /// initialisations).
    LLOYD_RANDOM("lloyd-random"),
    /// Lloyd's algorithm from levels spaced evenly over the range of the values, as those of int4 are.
    LLOYD_INT("lloyd-int"),
    /// Lloyd's algorithm from the levels of nf4 over the range of the values.
    LLOYD_NF("lloyd-nf");

    private final String id;

    Clustering(String id) {
        this.id = id;
    }

    /// The name users write.
    public String id() {
        return id;
    }
}
