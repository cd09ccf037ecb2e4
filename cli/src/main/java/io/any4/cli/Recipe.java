package io.any4.cli;

import io.any4.calibrate.Rounding;
import io.any4.quant.QuantizationSpec;

/// A named way to quantize: a format, how its tables are learned and how codes are chosen.
enum Recipe {
    /// As in the paper: tables by k-means++ and Lloyd's algorithm, errors weighted by mean activations.
    PAPER("paper", "any4,kmeans=lloyd,weighting=mean", Rounding.NEAREST),
    /// The same format, tables solved exactly under the second moments of the activations.
    EXACT("exact", "any4,kmeans=exact", Rounding.NEAREST),
    /// Tables and signed byte scales learned together.
    ANY4S("any4s", "any4s", Rounding.NEAREST),
    /// The same, codes chosen by error feedback.
    ANY4S_GPTQ("any4s-gptq", "any4s", Rounding.GPTQ),
    /// The most accurate on held-out text at the bits of any4.
    BEST("best", "any4s", new Rounding(true, false, 3));

    private final String id;
    private final String format;
    private final Rounding rounding;

    Recipe(String id, String format, Rounding rounding) {
        this.id = id;
        this.format = format;
        this.rounding = rounding;
    }

    QuantizationSpec spec() {
        return QuantizationSpec.parse(format);
    }

    Rounding rounding() {
        return rounding;
    }

    /// Whether the model writes the calibration text itself unless there is another: Hessians need more of it than the
    /// built-in prompt has.
    boolean needsText() {
        return rounding.usesHessian();
    }

    /// The name users write.
    @Override
    public String toString() {
        return id;
    }
}
