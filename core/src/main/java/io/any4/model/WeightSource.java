package io.any4.model;

import io.any4.tinygemm.Weight;

/// Where the weight of a module comes from: a plain or a quantized checkpoint.
@FunctionalInterface
interface WeightSource {
    /// The weight matrix of the module at this path.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the checkpoint has none
    Weight weight(String module);
}
