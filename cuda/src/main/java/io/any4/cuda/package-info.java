/// The CUDA device. From the bottom up:
///
/// - `Libcuda` binds the driver, `DriverGpu` makes a GPU of it; `Gpu` is the seam where a test puts an
///   interpreter.
/// - `WeightPacker` lays weights out for the kernels (`src/main/cuda`), `KernelSet` is their PTX.
/// - [CudaDevice] records a decoder's operations, `Lowering` fuses them into launches, a repeated step
///   replays a graph.
@NullMarked
package io.any4.cuda;

import org.jspecify.annotations.NullMarked;
