/// The Java example of the README.
@NullMarked
package io.any4.example;

import org.jspecify.annotations.NullMarked;
