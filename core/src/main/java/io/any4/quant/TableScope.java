package io.any4.quant;

/// Which weights share a learned table.
public enum TableScope {
    /// One table per row: any4 as published.
    ROW("row"),
    /// One table for the whole matrix.
    MATRIX("matrix");

    private final String id;

    TableScope(String id) {
        this.id = id;
    }

    /// The name users write.
    public String id() {
        return id;
    }
}
