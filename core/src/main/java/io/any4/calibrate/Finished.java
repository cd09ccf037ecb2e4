package io.any4.calibrate;

import io.any4.quant.ErrorStatistics;

/// A module whose tensors are written, and what quantization cost it.
record Finished(String module, ErrorStatistics error) {}
