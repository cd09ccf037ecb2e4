/// Quantizing whole checkpoints: what activations look like, and the job that streams weights through a quantizer.
@NullMarked
package io.any4.calibrate;

import org.jspecify.annotations.NullMarked;
