/// Matrix multiplication over quantized weights, and the other operations a decoder needs, on one device.
///
/// Two seams meet here. [Device] is what a model runs on: buffers and about twenty whole operations, so that one
/// forward pass serves every device. `Kernels` is what a CPU device is made of: single-threaded inner loops
/// over a range of rows, written once plainly (`ScalarKernels`, the oracle) and once per vector width
/// (`VectorKernels`).
@NullMarked
package io.any4.tinygemm;

import org.jspecify.annotations.NullMarked;
