/// Dense products in bf16 by [oneDNN](https://github.com/uxlfoundation/oneDNN), called through its C interface with
/// `java.lang.foreign`. Nothing of it is linked or shipped: the library is looked for when it is asked for.
@NullMarked
package io.any4.onednn;

import org.jspecify.annotations.NullMarked;
