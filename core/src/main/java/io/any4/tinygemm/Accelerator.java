package io.any4.tinygemm;

/// A library that multiplies decoded weights with prompts faster than plain Java can; found through
/// [java.util.ServiceLoader]. Its results may be less exact, so it is used only where it is asked for.
public interface Accelerator {
    /// What a user types to choose it, such as `onednn`.
    String name();

    /// One line for a person: what was found, or why it cannot be used and what would change that. Never throws.
    String probe();

    /// Its dense product, for one [CpuDevice].
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if it cannot be used, in one sentence
    PanelGemm open();
}
