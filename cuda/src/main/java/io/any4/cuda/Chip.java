package io.any4.cuda;

/// What the cut of a launch depends on.
///
/// @param multiprocessors of the GPU
/// @param sharedBytes shared memory of each
record Chip(int multiprocessors, int sharedBytes) {}
