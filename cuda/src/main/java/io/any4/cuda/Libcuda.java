package io.any4.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/// The functions of the CUDA driver API that are used here, one handle each, under their versioned names.
///
/// Opaque handles (streams, events, modules) and device addresses are 64-bit integers; every function returns a
/// status. Loading this class needs the library: ask [DriverLibrary#present] first. A driver that lacks a
/// function is older than any4j supports, and `DriverGpu` has refused its version before the function could be
/// missed.
final class Libcuda {
    private static final SymbolLookup LIBRARY = DriverLibrary.required();
    private static final Linker LINKER = Linker.nativeLinker();

    // The driver and its devices.
    static final MethodHandle INIT = bind("cuInit", JAVA_INT);
    static final MethodHandle DRIVER_VERSION = bind("cuDriverGetVersion", ADDRESS);
    static final MethodHandle DEVICE_COUNT = bind("cuDeviceGetCount", ADDRESS);
    static final MethodHandle DEVICE = bind("cuDeviceGet", ADDRESS, JAVA_INT);
    static final MethodHandle DEVICE_NAME = bind("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
    static final MethodHandle DEVICE_MEMORY = bind("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
    static final MethodHandle DEVICE_ATTRIBUTE = bind("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);
    static final MethodHandle ERROR_NAME = bind("cuGetErrorName", JAVA_INT, ADDRESS);
    static final MethodHandle ERROR_STRING = bind("cuGetErrorString", JAVA_INT, ADDRESS);

    // Context and streams.
    static final MethodHandle CONTEXT_RETAIN = bind("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
    static final MethodHandle CONTEXT_RELEASE = bind("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
    static final MethodHandle CONTEXT_SET = bind("cuCtxSetCurrent", JAVA_LONG);
    static final MethodHandle STREAM_CREATE = bind("cuStreamCreate", ADDRESS, JAVA_INT);
    static final MethodHandle STREAM_SYNCHRONIZE = bind("cuStreamSynchronize", JAVA_LONG);
    static final MethodHandle STREAM_DESTROY = bind("cuStreamDestroy_v2", JAVA_LONG);

    // Memory.
    static final MethodHandle MEMORY_INFO = bind("cuMemGetInfo_v2", ADDRESS, ADDRESS);
    static final MethodHandle ALLOCATE = bind("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
    static final MethodHandle FREE = bind("cuMemFree_v2", JAVA_LONG);
    static final MethodHandle ALLOCATE_HOST = bind("cuMemHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
    static final MethodHandle FREE_HOST = bind("cuMemFreeHost", JAVA_LONG);
    static final MethodHandle UPLOAD = bind("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle DOWNLOAD = bind("cuMemcpyDtoHAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle COPY = bind("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle FILL_BYTES = bind("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);

    // Modules and launches.
    static final MethodHandle MODULE_LOAD = bind("cuModuleLoadDataEx", ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle MODULE_UNLOAD = bind("cuModuleUnload", JAVA_LONG);
    static final MethodHandle MODULE_FUNCTION = bind("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle FUNCTION_ATTRIBUTE = bind("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
    static final MethodHandle LAUNCH = bind("cuLaunchKernelEx", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);

    // Events and graphs.
    static final MethodHandle EVENT_CREATE = bind("cuEventCreate", ADDRESS, JAVA_INT);
    static final MethodHandle EVENT_RECORD = bind("cuEventRecord", JAVA_LONG, JAVA_LONG);
    static final MethodHandle EVENT_SYNCHRONIZE = bind("cuEventSynchronize", JAVA_LONG);
    static final MethodHandle EVENT_ELAPSED = bind("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);
    static final MethodHandle EVENT_DESTROY = bind("cuEventDestroy_v2", JAVA_LONG);
    static final MethodHandle CAPTURE_BEGIN = bind("cuStreamBeginCapture_v2", JAVA_LONG, JAVA_INT);
    static final MethodHandle CAPTURE_END = bind("cuStreamEndCapture", JAVA_LONG, ADDRESS);
    static final MethodHandle GRAPH_INSTANTIATE = bind("cuGraphInstantiateWithFlags", ADDRESS, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GRAPH_LAUNCH = bind("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    static final MethodHandle GRAPH_DESTROY = bind("cuGraphDestroy", JAVA_LONG);
    static final MethodHandle GRAPH_EXEC_DESTROY = bind("cuGraphExecDestroy", JAVA_LONG);

    private Libcuda() {}

    private static MethodHandle bind(String name, MemoryLayout... parameters) {
        return LINKER.downcallHandle(
                LIBRARY.find(name)
                        .orElseThrow(() -> new IllegalStateException("the NVIDIA driver library lacks " + name)),
                FunctionDescriptor.of(JAVA_INT, parameters));
    }
}
