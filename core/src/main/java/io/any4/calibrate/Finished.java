package io.any4.calibrate;

import io.any4.quant.ErrorStatistics;

/// A module whose tensors are written.
///
/// @param error what quantization cost it
/// @param spent on the whole job up to here, earlier runs included
record Finished(String module, ErrorStatistics error, QuantizationTime spent) {}
