/// Decoder-only transformers: one forward pass for every supported architecture, driven by [ModelConfig].
@NullMarked
package io.any4.model;

import org.jspecify.annotations.NullMarked;
