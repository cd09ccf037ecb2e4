package io.any4.model;

import io.any4.tinygemm.Device;
import java.util.List;

/// One trip of some tokens through the blocks.
///
/// @param tokens how many, over all sequences
/// @param parts the sequences they belong to
record Pass(Device device, Scratch scratch, int tokens, List<Part> parts, Tap tap) {}
