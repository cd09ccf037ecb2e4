/// An interpreter of PTX, so that the shipped kernels are tested where there is no GPU.
///
/// It runs one block after the other and the warps of a block in turn, up to a barrier; within a warp the lanes
/// with the lowest instruction go first. It refuses accesses and bulk copies that are misaligned or outside what was
/// allocated, reports two uses of the same memory that nothing orders (threads, bulk copies, blocks, kernels that
/// start early), warps that wait forever and copies that arrive after their block has ended, and counts instructions
/// and bank conflicts. It does not show timing, the tensor cores' own rounding, or what a driver's compiler does.
@NullMarked
package io.any4.cuda.ptx;

import org.jspecify.annotations.NullMarked;
