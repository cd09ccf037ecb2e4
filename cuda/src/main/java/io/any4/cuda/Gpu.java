package io.any4.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// One GPU as the rest of this package sees it: memory, and kernel launches that run in the order they
/// are given.
///
/// Addresses are device addresses. All calls come from one thread.
interface Gpu extends AutoCloseable {
    /// Name, memory and driver in a few words.
    String describe();

    /// What launches are made for.
    Chip chip();

    /// The kernels that are launched.
    KernelSet kernels();

    /// Memory of at least `bytes` bytes, aligned to 256, contents undefined.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the GPU has too little left
    long allocate(long bytes);

    void free(long address);

    void zero(long address, long bytes);

    /// Copies to the GPU; the source may be reused when this returns.
    void upload(MemorySegment source, long target);

    /// Copies from the GPU when everything before has finished; the target is complete when this returns.
    void download(long source, MemorySegment target);

    /// Whether a kernel of that name exists is checked at the first launch.
    void launch(Launch launch);

    /// Prepares launches to be repeated as one.
    Replay prepare(List<Launch> launches);

    /// Waits until everything given so far has finished.
    void synchronize();

    @Override
    void close();

    /// A prepared sequence of launches.
    interface Replay extends AutoCloseable {
        void launch();

        @Override
        void close();
    }
}
