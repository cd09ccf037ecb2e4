/// Benchmarks with questions: documents become prompts, a model's answers become accuracies with standard errors.
///
/// Prompts, metrics and the drawing of few-shot examples are those of lm-evaluation-harness 0.4.13, so that numbers
/// can be compared with published ones request by request.
@NullMarked
package io.any4.eval.tasks;

import org.jspecify.annotations.NullMarked;
