package io.any4.eval;

import io.any4.model.Decoder;
import java.util.List;

/// Perplexity by the protocol of the GPTQ paper's code (arXiv 2210.17323), which most papers on weight quantization
/// follow: [Windows] are run independently of each other, each from an empty context; the loss of a window is the mean
/// cross-entropy of its tokens after the first; perplexity is exp of the mean loss.
public final class Perplexity {
    private Perplexity() {}

    /// Measures one model.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the model's logits are not finite
    public static PerplexityResult measure(Decoder decoder, Windows windows, EvaluationListener listener) {
        LogitSource source = new DecoderLogits(decoder, windows.length());
        ModelScore score =
                new Evaluation(windows, listener).run(List.of(source)).getFirst();
        return PerplexityResult.of(score.nats(), windows, score.seconds());
    }
}
