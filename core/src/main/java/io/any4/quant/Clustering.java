package io.any4.quant;

/// How the table of a row is found: three ways to one-dimensional weighted k-means.
public enum Clustering {
    /// The optimum, by dynamic programming over the sorted values.
    EXACT("exact"),
    /// Dynamic programming over a few hundred bins, then Lloyd steps: within a fraction of a per cent of the
    /// optimum.
    FAST("fast"),
    /// Lloyd's algorithm from a k-means++ start, as in the paper, for comparison with it.
    LLOYD("lloyd");

    private final String id;

    Clustering(String id) {
        this.id = id;
    }

    /// The name users write.
    public String id() {
        return id;
    }
}
