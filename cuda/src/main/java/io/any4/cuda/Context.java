package io.any4.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.any4.checkpoint.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A driver context with one stream, current on the thread that opened it: memory, copies and events.
final class Context implements AutoCloseable {
    private static final int NON_BLOCKING = 1;
    private static final long STAGE_BYTES = 8L << 20;

    private final GpuInfo gpu;
    private final MemorySegment out = Arena.ofAuto().allocate(16, 8);
    private final long stream;
    private final MemorySegment staging; // pinned: the driver copies straight from it, at full speed

    Context(GpuInfo gpu) {
        this.gpu = gpu;
        try {
            Status.check("cuDevicePrimaryCtxRetain", (int) Libcuda.CONTEXT_RETAIN.invokeExact(out, gpu.handle()));
            Status.check("cuCtxSetCurrent", (int) Libcuda.CONTEXT_SET.invokeExact(result()));
            Status.check("cuStreamCreate", (int) Libcuda.STREAM_CREATE.invokeExact(out, NON_BLOCKING));
            stream = result();
            Status.check("cuMemHostAlloc", (int) Libcuda.ALLOCATE_HOST.invokeExact(out, STAGE_BYTES, 0));
            staging = MemorySegment.ofAddress(result()).reinterpret(STAGE_BYTES);
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    private long result() {
        return out.get(JAVA_LONG, 0);
    }

    long stream() {
        return stream;
    }

    long allocate(long bytes) {
        try {
            int status = (int) Libcuda.ALLOCATE.invokeExact(out, bytes);
            if (status == Status.OUT_OF_MEMORY) {
                throw outOfMemory(bytes);
            }
            Status.check("cuMemAlloc", status);
            return result();
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    private InvalidInputException outOfMemory(long bytes) throws Throwable {
        Status.check("cuMemGetInfo", (int) Libcuda.MEMORY_INFO.invokeExact(out, out.asSlice(8)));
        return new InvalidInputException(
                "%s has %.1f of %.1f GiB free but %.1f MiB more are needed: use a smaller model or context, or run with --device cpu"
                        .formatted(
                                gpu.name(),
                                result() / (double) (1L << 30),
                                out.get(JAVA_LONG, 8) / (double) (1L << 30),
                                bytes / (double) (1L << 20)));
    }

    void free(long address) {
        try {
            Status.check("cuMemFree", (int) Libcuda.FREE.invokeExact(address));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    void zero(long address, long bytes) {
        try {
            Status.check("cuMemsetD8Async", (int) Libcuda.FILL_BYTES.invokeExact(address, (byte) 0, bytes, stream));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    /// Copies within the GPU.
    void copy(long source, long target, long bytes) {
        try {
            Status.check("cuMemcpyDtoDAsync", (int) Libcuda.COPY.invokeExact(target, source, bytes, stream));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    /// Copies through the two halves of the pinned buffer, filling one while the other travels.
    void upload(MemorySegment source, long target) {
        long half = STAGE_BYTES / 2;
        long side = 0;
        for (long at = 0; at < source.byteSize(); at += half) {
            long count = Math.min(half, source.byteSize() - at);
            if (at >= STAGE_BYTES || at == 0) {
                synchronize(); // what still travels from this half
            }
            MemorySegment.copy(source, at, staging, side, count);
            uploadPinned(side, target + at, count);
            side = half - side;
        }
    }

    private void uploadPinned(long offset, long target, long count) {
        try {
            int status = (int) Libcuda.UPLOAD.invokeExact(target, staging.address() + offset, count, stream);
            Status.check("cuMemcpyHtoDAsync", status);
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    void download(long source, MemorySegment target) {
        try {
            for (long at = 0; at < target.byteSize(); at += STAGE_BYTES) {
                long count = Math.min(STAGE_BYTES, target.byteSize() - at);
                int status = (int) Libcuda.DOWNLOAD.invokeExact(staging.address(), source + at, count, stream);
                Status.check("cuMemcpyDtoHAsync", status);
                synchronize();
                MemorySegment.copy(staging, ValueLayout.JAVA_BYTE, 0, target, ValueLayout.JAVA_BYTE, at, count);
            }
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    void synchronize() {
        try {
            Status.check("cuStreamSynchronize", (int) Libcuda.STREAM_SYNCHRONIZE.invokeExact(stream));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    /// A new event, to be recorded and read by the two methods below.
    long event() {
        try {
            Status.check("cuEventCreate", (int) Libcuda.EVENT_CREATE.invokeExact(out, 0));
            return result();
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    void mark(long event) {
        try {
            Status.check("cuEventRecord", (int) Libcuda.EVENT_RECORD.invokeExact(event, stream));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    /// Milliseconds between two recorded events, once the second has happened.
    float elapsed(long from, long to) {
        try {
            Status.check("cuEventSynchronize", (int) Libcuda.EVENT_SYNCHRONIZE.invokeExact(to));
            Status.check("cuEventElapsedTime", (int) Libcuda.EVENT_ELAPSED.invokeExact(out, from, to));
            return out.get(ValueLayout.JAVA_FLOAT, 0);
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    void destroyEvent(long event) {
        try {
            Status.check("cuEventDestroy", (int) Libcuda.EVENT_DESTROY.invokeExact(event));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    @Override
    public void close() {
        try {
            Status.check("cuMemFreeHost", (int) Libcuda.FREE_HOST.invokeExact(staging.address()));
            Status.check("cuStreamDestroy", (int) Libcuda.STREAM_DESTROY.invokeExact(stream));
            Status.check("cuDevicePrimaryCtxRelease", (int) Libcuda.CONTEXT_RELEASE.invokeExact(gpu.handle()));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }
}
