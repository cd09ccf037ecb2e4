package io.any4.cuda.ptx;

/// One decoded instruction. Every scalar operand is the index of a register: constants and special
/// registers have one too.
///
/// @param action what it does
/// @param guard the predicate register that decides per lane, or -1
/// @param negated whether lanes run where the predicate is false
/// @param destinations registers written, one per element of a vector
/// @param sources registers read, flattened; a memory operand's base comes first
/// @param offset added to a memory operand's base
/// @param label where a branch goes
/// @param text as in the source, for messages
record Instruction(
        Action action,
        int guard,
        boolean negated,
        int[] destinations,
        int[] sources,
        long offset,
        String label,
        String text) {
    /// What an instruction does.
    sealed interface Action {
        /// Computes each lane by itself.
        record Compute(LaneFunction function) implements Action {}

        /// Joins two or more narrow values to one, or splits one.
        record Join(int bits) implements Action {}

        record Split(int bits) implements Action {}

        /// @param wide whether it fills 64-bit registers
        record Load(Space space, PtxType type, boolean wide) implements Action {}

        record Store(Space space, PtxType type) implements Action {}

        record Shuffle(String mode) implements Action {}

        record Multiply(Operands operands) implements Action {}

        record Branch() implements Action {}

        record Exit() implements Action {}

        record Barrier() implements Action {}

        record WarpBarrier() implements Action {}

        /// A fence of the whole GPU.
        record Fence() implements Action {}

        /// Allows the next kernel to start early, as this one may have.
        record LetNextStart() implements Action {}

        /// Waits until earlier kernels have ended.
        record GridWait() implements Action {}

        /// Adds to a number in memory, or replaces it, giving what was there before.
        record Atomic(Space space, PtxType type, boolean adds) implements Action {
            /// What is in memory then.
            long result(long before, long operand) {
                return type.clip(adds ? before + operand : operand);
            }
        }

        record InitBarrier() implements Action {}

        record PublishBarriers() implements Action {}

        record ArriveExpecting() implements Action {}

        record TestPhase() implements Action {}

        record BulkCopy() implements Action {}
    }

    /// What a tensor-core product multiplies.
    enum Operands {
        BF16,
        F16,
        /// Unsigned bytes by signed ones.
        BYTES
    }

    /// Memory that an instruction names.
    enum Space {
        GLOBAL,
        SHARED,
        PARAM
    }

    /// A function of up to three values; missing ones are 0.
    interface LaneFunction {
        long apply(long a, long b, long c);
    }
}
