/// Benchmarks of the kernels, through the interface a model uses.
@NullMarked
package io.any4.bench;

import org.jspecify.annotations.NullMarked;
