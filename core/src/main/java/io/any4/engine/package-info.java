/// Running a model: choosing tokens, generating continuations, scoring texts.
@NullMarked
package io.any4.engine;

import org.jspecify.annotations.NullMarked;
