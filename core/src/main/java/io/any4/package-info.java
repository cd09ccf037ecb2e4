/// The front door: [Any4] loads, quantizes, generates and scores.
@NullMarked
package io.any4;

import org.jspecify.annotations.NullMarked;
