package io.any4.quant;

/// What the zero of an asymmetric integer format may be.
public enum ZeroPoint {
    /// Any number: the minimum of the group, exactly (the paper's int4).
    FLOAT("float"),
    /// A multiple of the scale, so that 0 is a level and the format can be exported as AWQ or GPTQ.
    INTEGER("integer");

    private final String id;

    ZeroPoint(String id) {
        this.id = id;
    }

    /// The name users write.
    public String id() {
        return id;
    }
}
