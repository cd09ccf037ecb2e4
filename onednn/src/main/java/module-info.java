/// oneDNN as an [io.any4.tinygemm.Accelerator].
module io.any4.onednn {
    requires transitive io.any4.core;
    requires static transitive org.jspecify;
    requires jdk.incubator.vector;

    exports io.any4.onednn;

    provides io.any4.tinygemm.Accelerator with
            io.any4.onednn.OneDnnAccelerator;
}
