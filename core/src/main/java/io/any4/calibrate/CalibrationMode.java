package io.any4.calibrate;

import tools.jackson.databind.node.ObjectNode;

/// How calibration and quantization go together.
public enum CalibrationMode {
    /// The model is run once, as it is, before anything is quantized.
    ONE_PASS("one-pass"),
    /// Each block is run on what the quantized blocks before it produce.
    SEQUENTIAL("sequential"),
    /// As above, and within a block each layer on what the quantized layers before it produce; codes are chosen by
    /// feedback from the Hessian of the layer's input (GPTQ, arXiv 2210.17323).
    GPTQ("gptq"),
    /// Like [#GPTQ], and feedback also makes up for what the inputs lost to the quantization of earlier layers (GPTAQ,
    /// arXiv 2504.02692).
    GPTAQ("gptaq"),
    /// Like [#GPTQ], but codes are rounded to nearest; Hessians serve to refine the result.
    LAYERWISE("layerwise"),
    /// Each block is run on what the unquantized blocks before it produce, and its inputs are sampled: what
    /// methods need that quantize inputs as well (LLM-FP4, arXiv 2310.16836).
    SAMPLES("samples");

    private final String id;

    CalibrationMode(String id) {
        this.id = id;
    }

    /// The name in `config.json`.
    public String id() {
        return id;
    }

    ObjectNode provenance(CalibrationData data) {
        return data.describe().put("mode", id);
    }
}
