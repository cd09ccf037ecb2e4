package io.any4.cuda.ptx;

/// Which block accesses device memory, in which launch.
///
/// @param epoch number of the launch, from 1
/// @param threads of a block
record Accessor(int epoch, int threads, Order order) {
    /// A number for a thread, different in every block.
    int id(int thread) {
        return order.block() * threads + thread;
    }
}
