package io.any4.onednn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.any4.checkpoint.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// The loaded library with one engine, for the whole process: it is never unloaded.
final class OneDnn {
    private static final int CPU = 1;
    private static final int IN_ORDER = 1;
    private static final int BF16 = 2;
    private static final int F32 = 3;
    /// `dnnl_cpu_isa_avx512_core_bf16`; whatever has more, AMX among it, has these bits too.
    private static final int ISA_BF16 = 0xe7;

    private static final int ISA_AMX = 0xe00;
    private static final int MAX_DIMENSIONS = 12;

    private static @Nullable OneDnn instance;

    private final DnnlLibrary library;
    private final int isa;
    private final MemorySegment engine;

    private OneDnn(DnnlLibrary library) {
        this.library = library;
        isa = (int) call(library.effectiveIsa);
        if ((isa & ISA_BF16) != ISA_BF16) {
            throw new InvalidInputException(
                    "oneDNN would not be faster here, because this processor has no bf16 instructions: leave --accelerator out");
        }
        engine = create(library.engineCreate, CPU, 0L);
    }

    /// @throws InvalidInputException if the library is missing or would not pay on this processor
    static synchronized OneDnn instance() {
        OneDnn found = instance;
        if (found == null) {
            found = new OneDnn(DnnlLibrary.load());
            instance = found;
        }
        return found;
    }

    String describe() {
        MemorySegment version = ((MemorySegment) call(library.version)).reinterpret(3 * JAVA_INT.byteSize());
        return "oneDNN %d.%d.%d, bf16 %s"
                .formatted(
                        version.getAtIndex(JAVA_INT, 0),
                        version.getAtIndex(JAVA_INT, 1),
                        version.getAtIndex(JAVA_INT, 2),
                        (isa & ISA_AMX) == ISA_AMX ? "with AMX" : "with AVX-512");
    }

    /// Prepares products for the calling thread, which stays its only user: bf16 `[tokens, length]` times the transpose
    /// of bf16 `[rows, length]` gives f32 `[tokens, rows]`.
    Matmul matmul(int tokens, int length, int rows) {
        library.stayOnThisThread();
        MemorySegment x = describe(tokens, length, BF16, length, 1);
        MemorySegment w = describe(length, rows, BF16, 1, length);
        MemorySegment y = describe(tokens, rows, F32, rows, 1);
        MemorySegment none = MemorySegment.NULL;
        MemorySegment description = create(library.matmulDescribe, engine, x, w, none, y, none);
        return new Matmul(
                this,
                create(library.primitiveCreate, description),
                create(library.streamCreate, engine, IN_ORDER),
                create(library.memoryCreate, x, engine, none),
                create(library.memoryCreate, w, engine, none),
                create(library.memoryCreate, y, engine, none));
    }

    private MemorySegment describe(long rows, long columns, int type, long rowStride, long columnStride) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment dims = arena.allocate(JAVA_LONG, MAX_DIMENSIONS);
            MemorySegment strides = arena.allocate(JAVA_LONG, MAX_DIMENSIONS);
            dims.setAtIndex(JAVA_LONG, 0, rows);
            dims.setAtIndex(JAVA_LONG, 1, columns);
            strides.setAtIndex(JAVA_LONG, 0, rowStride);
            strides.setAtIndex(JAVA_LONG, 1, columnStride);
            return create(library.describe, 2, dims, type, strides);
        }
    }

    /// Calls a function whose first argument receives what it creates.
    private static MemorySegment create(MethodHandle function, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            Object[] all = new Object[arguments.length + 1];
            all[0] = out;
            System.arraycopy(arguments, 0, all, 1, arguments.length);
            require((int) call(function, all));
            return out.get(ADDRESS, 0);
        }
    }

    /// Points a memory object at data that stays where it is until the next product is done.
    void point(MemorySegment memory, MemorySegment data) {
        require((int) call(library.memorySet, memory, data));
    }

    void run(MemorySegment primitive, MemorySegment stream, MemorySegment arguments, int count) {
        require((int) call(library.execute, primitive, stream, count, arguments));
        require((int) call(library.await, stream));
    }

    private static Object call(MethodHandle function, Object... arguments) {
        try {
            return function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void require(int status) {
        if (status != 0) {
            throw new IllegalStateException("oneDNN failed with status " + status);
        }
    }
}
