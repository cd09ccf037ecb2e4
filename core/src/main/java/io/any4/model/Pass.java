package io.any4.model;

import io.any4.tinygemm.Device;

/// One trip of some consecutive tokens through the blocks.
///
/// @param tokens how many
/// @param position of the first of them in its sequence
record Pass(Device device, Scratch scratch, int tokens, int position, Tap tap) {}
