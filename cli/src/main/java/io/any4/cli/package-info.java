/// The `any4j` command: one class per verb. The only place that prints.
@NullMarked
package io.any4.cli;

import org.jspecify.annotations.NullMarked;
