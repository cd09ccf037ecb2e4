/// Hugging Face checkpoints on disk: safetensors files, sharded indexes and the JSON files beside them.
@NullMarked
package io.any4.checkpoint;

import org.jspecify.annotations.NullMarked;
