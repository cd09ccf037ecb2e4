/// What a quantization cost: perplexity, divergence, comparison of models, and the HTML report.
module io.any4.eval {
    requires static transitive org.jspecify;
    requires transitive io.any4.core;
    requires tools.jackson.databind;
    requires org.apache.commons.rng.api;
    requires org.apache.commons.rng.simple;

    exports io.any4.eval;
    exports io.any4.eval.tasks;
}
