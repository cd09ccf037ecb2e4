/// Quantizers: each turns a weight matrix into one of the layouts of `io.any4.tinygemm`, row by row.
@NullMarked
package io.any4.quant;

import org.jspecify.annotations.NullMarked;
