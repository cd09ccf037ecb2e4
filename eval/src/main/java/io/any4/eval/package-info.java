/// Measures language models and what quantizing them cost, and writes what was measured as one HTML file.
@NullMarked
package io.any4.eval;

import org.jspecify.annotations.NullMarked;
