/// Element types, shapes and tensors over native or mapped memory: the vocabulary every other package speaks.
@NullMarked
package io.any4.tensor;

import org.jspecify.annotations.NullMarked;
