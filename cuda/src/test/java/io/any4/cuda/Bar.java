package io.any4.cuda;

/// A figure that a benchmark is held to.
///
/// @param what is measured
/// @param value that was
/// @param bound that it has to keep
/// @param least whether the bound is the least, rather than the most
record Bar(String what, double value, double bound, boolean least) {
    static Bar atLeast(double bound, String what, double value) {
        return new Bar(what, value, bound, true);
    }

    static Bar atMost(double bound, String what, double value) {
        return new Bar(what, value, bound, false);
    }

    boolean passes() {
        return least ? value >= bound : value <= bound;
    }

    /// One line, as `run` collects them: bench/gpu.
    @Override
    public String toString() {
        return "bar: %s %s: %.2f, %s %.2f"
                .formatted(passes() ? "pass" : "miss", what, value, least ? "at least" : "at most", bound);
    }
}
