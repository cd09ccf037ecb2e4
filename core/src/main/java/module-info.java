/// Quantization, kernels and model execution: everything in any4j that is mathematics or format.
module io.any4.core {
    requires static transitive org.jspecify;
    requires jdk.incubator.vector;
    requires transitive tools.jackson.databind;
    requires ai.djl.tokenizers;
    // The tokenizers library is an automatic module, which cannot say itself what it needs.
    requires com.google.gson;
    requires org.slf4j;

    exports io.any4;
    exports io.any4.calibrate;
    exports io.any4.checkpoint;
    exports io.any4.engine;
    exports io.any4.model;
    exports io.any4.quant;
    exports io.any4.tensor;
    exports io.any4.text;
    exports io.any4.tinygemm;
}
