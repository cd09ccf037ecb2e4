/// Text to token ids and back, exactly as the tokenizer.json of a model says.
@NullMarked
package io.any4.text;

import org.jspecify.annotations.NullMarked;
