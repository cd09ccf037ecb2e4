/// NVIDIA GPUs as a [io.any4.tinygemm.Device].
module io.any4.cuda {
    requires transitive io.any4.core;
    requires static transitive org.jspecify;

    exports io.any4.cuda;

    provides io.any4.tinygemm.DeviceProvider with
            io.any4.cuda.CudaProvider;
}
