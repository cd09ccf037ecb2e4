package io.any4.eval;

/// A text that one of the models wrote.
///
/// @param model name of the model
/// @param prompt what it was given
/// @param continuation what it added
public record Sample(String model, String prompt, String continuation) {}
