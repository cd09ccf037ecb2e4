package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.Action;
import io.any4.cuda.ptx.Instruction.Space;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// 32 lanes in step: of those that still run, the ones at the lowest instruction go first, so that lanes that took
/// different branches meet again where the branches do.
final class Warp {
    static final int LANES = 32;

    private final Kernel kernel;
    private final MemoryAccess memory;
    private final BulkCopies copies;
    private final Order order;
    private final Counters counters;
    private final int firstThread;
    private final long[][] registers;
    private final int[] next = new int[LANES];
    private final TensorCore bf16 = new TensorCore(false);
    private final TensorCore f16 = new TensorCore(true);
    private final ByteTensorCore bytes = new ByteTensorCore();
    private int running = -1;
    private boolean waiting;
    private boolean early;
    private boolean passed;
    private @Nullable Instruction stalledAt;

    Warp(Kernel kernel, MemoryAccess memory, BulkCopies copies, Order order, Counters counters, int firstThread) {
        this.kernel = kernel;
        this.memory = memory;
        this.copies = copies;
        this.order = order;
        early = kernel.startsEarly();
        this.counters = counters;
        this.firstThread = firstThread;
        registers = new long[kernel.registers()][LANES];
        kernel.constants().forEach((register, value) -> Arrays.fill(registers[register], value));
    }

    /// Sets a special register, if the kernel reads it.
    void set(String special, long first, long step) {
        Integer register = kernel.specials().get(special);
        if (register != null) {
            Arrays.setAll(registers[register], lane -> first + lane * step);
        }
    }

    boolean finished() {
        return running == 0;
    }

    boolean waiting() {
        return waiting;
    }

    void passBarrier() {
        waiting = false;
    }

    /// Whether the warp has stopped because a phase of a barrier in shared memory has not ended.
    boolean stalled() {
        return stalledAt != null;
    }

    String stalledAt() {
        return stalledAt == null ? "nothing" : stalledAt.text();
    }

    /// Runs until all lanes have ended, wait at the block's barrier, or find that a phase has not ended; tells whether
    /// they got anywhere.
    boolean run() {
        Instruction before = stalledAt;
        stalledAt = null;
        passed = false;
        boolean moved = false;
        while (running != 0 && !waiting && stalledAt == null) {
            step();
            moved |= before == null || passed;
        }
        return moved;
    }

    private void step() {
        int at = Integer.MAX_VALUE;
        for (int lane = 0; lane < LANES; lane++) {
            if ((running >> lane & 1) != 0) {
                at = Math.min(at, next[lane]);
            }
        }
        Instruction instruction = kernel.instructions().get(at);
        int active = 0;
        for (int lane = 0; lane < LANES; lane++) {
            if ((running >> lane & 1) != 0 && next[lane] == at) {
                next[lane]++;
                active |= enabled(instruction, lane) ? 1 << lane : 0;
            }
        }
        if (active != 0) {
            counters.executed(instruction);
            execute(instruction, active);
        }
    }

    private boolean enabled(Instruction instruction, int lane) {
        return instruction.guard() < 0 || (registers[instruction.guard()][lane] != 0) != instruction.negated();
    }

    private void execute(Instruction instruction, int active) {
        switch (instruction.action()) {
            case Action.Compute compute -> compute(compute, instruction, active);
            case Action.Join join -> join(join.bits(), instruction, active);
            case Action.Split split -> split(split.bits(), instruction, active);
            case Action.Load load -> {
                count(load.space(), load.type(), instruction.destinations().length, instruction, active);
                memory.load(load, instruction, registers, active, firstThread, early);
            }
            case Action.Store store -> {
                count(store.space(), store.type(), instruction.sources().length - 1, instruction, active);
                memory.store(store, instruction, registers, active, firstThread, early);
            }
            case Action.Shuffle shuffle -> shuffle(shuffle.mode(), instruction, active);
            case Action.Multiply multiply -> {
                requireAll(active, instruction);
                int[] to = instruction.destinations();
                switch (multiply.operands()) {
                    case BF16 -> bf16.multiply(registers, to, instruction.sources());
                    case F16 -> f16.multiply(registers, to, instruction.sources());
                    case BYTES -> bytes.multiply(registers, to, instruction.sources());
                }
            }
            case Action.Branch branch -> branch(instruction, active);
            case Action.Exit exit -> running &= ~active;
            case Action.Barrier barrier -> {
                if (active != running) {
                    throw new PtxException("not all lanes reach the barrier at: " + instruction.text());
                }
                waiting = true;
            }
            case Action.WarpBarrier barrier -> {
                requireAll(active, instruction);
                order.meet(firstThread, LANES);
            }
            case Action.GridWait wait -> early = false;
            case Action.Atomic atomic -> {
                count(atomic.space(), atomic.type(), 1, instruction, active);
                memory.atomic(atomic, instruction, registers, active, firstThread, early);
            }
            case Action.LetNextStart start -> {}
            default -> synchronize(instruction, active);
        }
    }

    /// What concerns the order of accesses, lane by lane.
    private void synchronize(Instruction instruction, int active) {
        boolean ended = true;
        for (int lane = 0; lane < LANES; lane++) {
            if ((active >> lane & 1) == 0) {
                continue;
            }
            int thread = firstThread + lane;
            switch (instruction.action()) {
                case Action.Fence fence -> order.fence(thread);
                case Action.PublishBarriers publish -> copies.publish(thread);
                case Action.InitBarrier init ->
                    copies.init(address(instruction, lane), (int) operand(instruction, 1, lane), thread, instruction);
                case Action.ArriveExpecting arrive ->
                    copies.arriveExpecting(
                            address(instruction, lane), operand(instruction, 1, lane), thread, instruction);
                case Action.TestPhase test -> {
                    int parity = (int) operand(instruction, 1, lane) & 1;
                    boolean passed = copies.test(address(instruction, lane), parity, thread, instruction);
                    registers[instruction.destinations()[0]][lane] = passed ? 1 : 0;
                    ended &= passed;
                }
                case Action.BulkCopy copy -> copy(instruction, lane, thread);
                default -> throw new IllegalStateException(instruction.text());
            }
        }
        if (instruction.action() instanceof Action.TestPhase) {
            passed = ended;
            stalledAt = ended ? null : instruction;
        }
    }

    private void copy(Instruction instruction, int lane, int thread) {
        long source = operand(instruction, 1, lane);
        int bytes = (int) operand(instruction, 2, lane);
        long target = operand(instruction, 0, lane) & 0xffffffffL;
        long barrier = operand(instruction, 3, lane) & 0xffffffffL;
        copies.copy(target, source, bytes, barrier, thread, instruction);
        memory.read(source, bytes, thread, early, instruction);
        counters.copied(bytes);
    }

    private long address(Instruction instruction, int lane) {
        return operand(instruction, 0, lane) + instruction.offset() & 0xffffffffL;
    }

    private long operand(Instruction instruction, int index, int lane) {
        return registers[instruction.sources()[index]][lane];
    }

    private void compute(Action.Compute compute, Instruction instruction, int active) {
        int[] sources = instruction.sources();
        long[] to = registers[instruction.destinations()[0]];
        long[] a = registers[sources[0]];
        long[] b = sources.length > 1 ? registers[sources[1]] : null;
        long[] c = sources.length > 2 ? registers[sources[2]] : null;
        for (int lane = 0; lane < LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                to[lane] = compute.function().apply(a[lane], b == null ? 0 : b[lane], c == null ? 0 : c[lane]);
            }
        }
    }

    private void join(int bits, Instruction instruction, int active) {
        for (int lane = 0; lane < LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long value = 0;
                for (int i = 0; i < instruction.sources().length; i++) {
                    value |= (registers[instruction.sources()[i]][lane] & (1L << bits) - 1) << i * bits;
                }
                registers[instruction.destinations()[0]][lane] = value;
            }
        }
    }

    private void split(int bits, Instruction instruction, int active) {
        for (int lane = 0; lane < LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long value = registers[instruction.sources()[0]][lane];
                for (int i = 0; i < instruction.destinations().length; i++) {
                    registers[instruction.destinations()[i]][lane] = value >>> i * bits & (1L << bits) - 1;
                }
            }
        }
    }

    private void shuffle(String mode, Instruction instruction, int active) {
        requireAll(active, instruction);
        long[] from = registers[instruction.sources()[0]].clone();
        for (int lane = 0; lane < LANES; lane++) {
            int by = (int) registers[instruction.sources()[1]][lane];
            int other = switch (mode) {
                case "bfly" -> lane ^ by;
                case "idx" -> by & LANES - 1;
                case "up" -> lane < by ? lane : lane - by;
                default -> throw new PtxException("unknown shuffle " + mode);
            };
            registers[instruction.destinations()[0]][lane] = from[other];
        }
    }

    private static void requireAll(int active, Instruction instruction) {
        if (active != -1) {
            throw new PtxException("not all lanes take part in: " + instruction.text());
        }
    }

    private void branch(Instruction instruction, int active) {
        Integer target = kernel.labels().get(instruction.label());
        if (target == null) {
            throw new PtxException("no such label in: " + instruction.text());
        }
        for (int lane = 0; lane < LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                next[lane] = target;
            }
        }
    }

    private void count(Space space, PtxType type, int elements, Instruction instruction, int active) {
        if (space != Space.PARAM) {
            int bytes = type.bytes() * elements;
            counters.accessed(space, memory.wavefronts(space, instruction, registers, active, bytes));
        }
    }
}
