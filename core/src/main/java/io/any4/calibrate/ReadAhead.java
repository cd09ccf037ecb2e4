package io.any4.calibrate;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Brings mapped tensors into memory on a thread of its own, so that computing need not wait for the disk.
final class ReadAhead implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("any4-read").daemon().factory());

    /// Begins to read a tensor that will soon be needed; what is not mapped from a file is there already.
    void begin(Tensor tensor) {
        MemorySegment data = tensor.data();
        if (data.isMapped()) {
            thread.execute(data::load);
        }
    }

    /// Waits for what has begun, since the file may be unmapped next.
    @Override
    public void close() {
        thread.close();
    }
}
