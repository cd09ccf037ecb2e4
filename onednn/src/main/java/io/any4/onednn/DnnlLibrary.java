package io.any4.onednn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.any4.checkpoint.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/// The functions of `libdnnl.so.3` that a matrix product takes, as in oneDNN's `dnnl.h`. Handles are addresses; every
/// function returns a status, 0 for success.
final class DnnlLibrary {
    /// Where the library is, if it is not where the system's loader looks.
    static final String PROPERTY = "any4.onednn.library";

    private static final String SONAME = "libdnnl.so.3";

    private final SymbolLookup symbols;
    final MethodHandle version;
    final MethodHandle effectiveIsa;
    final MethodHandle engineCreate;
    final MethodHandle streamCreate;
    final MethodHandle describe;
    final MethodHandle memoryCreate;
    final MethodHandle memorySet;
    final MethodHandle matmulDescribe;
    final MethodHandle primitiveCreate;
    final MethodHandle execute;
    final MethodHandle await;

    private DnnlLibrary(SymbolLookup symbols) {
        this.symbols = symbols;
        version = function("dnnl_version", ADDRESS);
        effectiveIsa = function("dnnl_get_effective_cpu_isa", JAVA_INT);
        engineCreate = function("dnnl_engine_create", JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
        streamCreate = function("dnnl_stream_create", JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
        describe = function(
                "dnnl_memory_desc_create_with_strides", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
        memoryCreate = function("dnnl_memory_create", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
        memorySet = function("dnnl_memory_set_data_handle", JAVA_INT, ADDRESS, ADDRESS);
        matmulDescribe = function(
                "dnnl_matmul_primitive_desc_create",
                JAVA_INT,
                ADDRESS,
                ADDRESS,
                ADDRESS,
                ADDRESS,
                ADDRESS,
                ADDRESS,
                ADDRESS);
        primitiveCreate = function("dnnl_primitive_create", JAVA_INT, ADDRESS, ADDRESS);
        execute = function("dnnl_primitive_execute", JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
        await = function("dnnl_stream_wait", JAVA_INT, ADDRESS);
    }

    /// Loads the library that [#PROPERTY] names, or else the system's.
    ///
    /// @throws InvalidInputException if there is none
    static DnnlLibrary load() {
        String path = System.getProperty(PROPERTY, SONAME);
        try {
            return new DnnlLibrary(SymbolLookup.libraryLookup(path, Arena.global()));
        } catch (IllegalArgumentException e) {
            throw new InvalidInputException(
                    "oneDNN is not there (%s): fetch it with 'mvn -Ponednn -pl onednn generate-resources', or install it, on Debian and Ubuntu as libdnnl3"
                            .formatted(path),
                    e);
        }
    }

    /// Makes the calling thread compute alone: any4j's own threads share the work. Libraries that do not use OpenMP
    /// have no such function.
    void stayOnThisThread() {
        symbols.find("omp_set_num_threads").ifPresent(address -> {
            MethodHandle set = Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.ofVoid(JAVA_INT));
            try {
                set.invokeExact(1);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        MemorySegment address = symbols.find(name)
                .orElseThrow(() ->
                        new InvalidInputException("%s has no function %s: oneDNN 3 is needed".formatted(SONAME, name)));
        return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(result, arguments));
    }
}
