package io.any4.cuda;

import io.any4.tensor.DType;
import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.MatrixStack;
import io.any4.tinygemm.Routes;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Span;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;

/// An NVIDIA GPU.
///
/// Operations are recorded, and carried out when a result is read: the whole step of a decoder is then known,
/// is fused into few launches and, once it repeats, replayed as one graph. Matrix products round their
/// activations to the tensor cores' 16-bit type and sum in 32 bits; a token's results do not depend on the
/// tokens computed with it.
///
/// Memory of buffers is given back when they are no longer reachable.
public final class CudaDevice implements Device {
    private static final Cleaner CLEANER = Cleaner.create();

    private final GpuThread thread = new GpuThread();
    private final Gpu gpu;
    private final Executor executor;
    private final Activation activation;
    private final Queue<Long> unreachable = new ConcurrentLinkedQueue<>();
    private final List<Op> pending = new ArrayList<>();
    private final Map<InputTransform, CudaTransform> transforms = new HashMap<>();
    private int pendingInputs;

    /// @param opener opens the GPU; called on the thread that goes on using it
    CudaDevice(Callable<Gpu> opener, Activation activation) {
        this.activation = activation;
        try {
            gpu = thread.call(opener);
            executor = thread.call(() -> new Executor(gpu));
        } catch (RuntimeException e) {
            thread.close();
            throw e;
        }
    }

    /// Opens the GPU with an index, counted from 0.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if there is no such GPU or it cannot be used, in
    ///     one sentence
    public static CudaDevice open(int index, Activation activation) {
        return open(index, activation, KernelSet.NEWEST);
    }

    /// Opens a GPU with kernels that were made for chips up to a compute capability (times ten).
    static CudaDevice open(int index, Activation activation, int newest) {
        return new CudaDevice(
                () -> {
                    GpuInfo gpu = GpuInfo.find(index);
                    return new DriverGpu(gpu, KernelSet.of(activation, Math.min(gpu.capability(), newest)));
                },
                activation);
    }

    @Override
    public String describe() {
        return "cuda: %s, %s activations"
                .formatted(gpu.describe(), activation.dtype().safetensorsName());
    }

    @Override
    public Buffer allocate(DType dtype, long length) {
        if (dtype != DType.F32 && dtype != DType.F16 && dtype != DType.BF16) {
            throw new IllegalArgumentException("no memory of " + dtype);
        }
        long bytes = Math.max(256, Math.multiplyExact(length, dtype.bytes()));
        long address = thread.call(() -> {
            freeUnreachable();
            long allocated = gpu.allocate(bytes);
            gpu.zero(allocated, bytes);
            return allocated;
        });
        CudaBuffer buffer = new CudaBuffer(address, dtype, length);
        Queue<Long> queue = unreachable; // the cleaner must not reach the buffer
        CLEANER.register(buffer, () -> queue.add(address));
        return buffer;
    }

    private void freeUnreachable() {
        for (Long address = unreachable.poll(); address != null; address = unreachable.poll()) {
            gpu.free(address); // the driver waits for what still uses it
        }
    }

    @Override
    public void write(float[] values, Buffer target, long offset) {
        CudaBuffer to = CudaBuffer.of(target);
        require(offset + values.length <= to.length(), "writing past the end of a buffer");
        flush();
        MemorySegment source = Elements.of(values, to.dtype());
        thread.run(() -> gpu.upload(source, to.at(offset)));
    }

    @Override
    public void read(Buffer source, long offset, float[] out, int count) {
        CudaBuffer from = CudaBuffer.of(source);
        require(offset + count <= from.length(), "reading past the end of a buffer");
        List<Op> ops = take();
        MemorySegment target = Elements.room(out, count, from.dtype());
        thread.run(() -> {
            executor.execute(ops);
            gpu.download(from.at(offset), target);
        });
        Elements.widen(target, from.dtype(), out, count);
    }

    @Override
    public Matrix prepare(Weight weight) {
        try (Arena arena = Arena.ofShared()) {
            PackedWeight packed = new WeightPacker(activation, arena).pack(weight);
            return thread.call(() -> CudaMatrix.upload(gpu, weight, packed));
        }
    }

    @Override
    public void embed(Matrix table, int[] ids, Buffer out) {
        enqueue(new Op.Embed((CudaMatrix) table, ids.clone(), CudaBuffer.of(out)));
    }

    @Override
    public void embed(Matrix table, Buffer chosen, Buffer out) {
        enqueue(new Op.EmbedChosen((CudaMatrix) table, CudaBuffer.of(chosen), CudaBuffer.of(out)));
    }

    @Override
    public void matmul(Matrix w, Buffer x, int tokens, Buffer y) {
        enqueue(new Op.MatMul((CudaMatrix) w, CudaBuffer.of(x), tokens, CudaBuffer.of(y)));
    }

    @Override
    public void addBias(Buffer y, Buffer bias, int tokens, int width) {
        enqueue(new Op.AddBias(CudaBuffer.of(y), CudaBuffer.of(bias), tokens, width));
    }

    @Override
    public void add(Buffer x, Buffer y, long length) {
        enqueue(new Op.Add(CudaBuffer.of(x), CudaBuffer.of(y), length));
    }

    @Override
    public void rmsNorm(Buffer x, Buffer gain, float epsilon, int rows, int width, Buffer out) {
        enqueue(new Op.Norm(CudaBuffer.of(x), CudaBuffer.of(gain), epsilon, rows, width, CudaBuffer.of(out)));
    }

    @Override
    public void rope(Buffer x, Buffer inverseFrequencies, int heads, int headDim, Span span, int position) {
        enqueue(new Op.Rotate(CudaBuffer.of(x), CudaBuffer.of(inverseFrequencies), heads, headDim, span, position));
    }

    @Override
    public void store(Buffer source, int width, Buffer cache, Span span, int position) {
        enqueue(new Op.Store(CudaBuffer.of(source), width, CudaBuffer.of(cache), span, position));
    }

    @Override
    public void attention(
            Buffer q, Buffer keys, Buffer values, AttentionShape shape, Span span, int position, Buffer out) {
        enqueue(new Op.Attend(
                CudaBuffer.of(q),
                CudaBuffer.of(keys),
                CudaBuffer.of(values),
                shape,
                span,
                position,
                CudaBuffer.of(out)));
    }

    @Override
    public void swiglu(Buffer gate, Buffer up, long length, Buffer out) {
        enqueue(new Op.Swiglu(CudaBuffer.of(gate), CudaBuffer.of(up), length, CudaBuffer.of(out)));
    }

    @Override
    public void gather(Buffer x, int[] rows, int width, Buffer out) {
        enqueue(new Op.Gather(CudaBuffer.of(x), rows.clone(), width, CudaBuffer.of(out)));
    }

    @Override
    public void scatterAdd(Buffer x, int[] rows, float[] factors, int width, Buffer out) {
        enqueue(new Op.Scatter(CudaBuffer.of(x), rows.clone(), factors.clone(), width, CudaBuffer.of(out)));
    }

    @Override
    public void transform(Buffer x, InputTransform transform, int rows, Buffer out) {
        CudaTransform prepared =
                transforms.computeIfAbsent(transform, key -> thread.call(() -> CudaTransform.upload(gpu, key)));
        Op.Transform op = new Op.Transform(CudaBuffer.of(x), prepared, rows, CudaBuffer.of(out));
        if (!isDone(op)) {
            enqueue(op);
        }
    }

    @Override
    public void route(Buffer scores, int experts, Routes routes) {
        enqueue(new Op.Route(CudaBuffer.of(scores), experts, routes, CudaBuffer.of(routes.pairs())));
    }

    @Override
    public MatrixStack stack(List<Matrix> matrices) {
        List<CudaMatrix> all = matrices.stream().map(CudaMatrix.class::cast).toList();
        return thread.call(() -> CudaStack.upload(gpu, all));
    }

    @Override
    public void matmul(MatrixStack w, Routes routes, boolean shared, Buffer x, Buffer y) {
        enqueue(new Op.RoutedMatMul(
                (CudaStack) w, routes, CudaBuffer.of(routes.pairs()), shared, CudaBuffer.of(x), CudaBuffer.of(y)));
    }

    @Override
    public void combine(Buffer x, Routes routes, int width, Buffer out) {
        enqueue(new Op.Combine(CudaBuffer.of(x), routes, CudaBuffer.of(routes.pairs()), width, CudaBuffer.of(out)));
    }

    /// Whether the output still holds this very result: layers that read the same input ask for it one by one.
    private boolean isDone(Op.Transform op) {
        for (Op earlier : pending.reversed()) {
            if (earlier.equals(op) && op.x() != op.out()) {
                return true;
            }
            if (earlier.out() == op.out() || earlier.out() == op.x()) {
                return false;
            }
        }
        return false;
    }

    @Override
    public void choose(Buffer logits, int row, int count, Sampling sampling, int draw, Buffer chosen) {
        enqueue(new Op.Choose(CudaBuffer.of(logits), row, count, sampling, draw, CudaBuffer.of(chosen)));
    }

    private void enqueue(Op op) {
        int needed = Inputs.needs(op);
        if (pendingInputs + needed > Inputs.CAPACITY) {
            flush();
        }
        pending.add(op);
        pendingInputs += needed;
    }

    private List<Op> take() {
        List<Op> ops = List.copyOf(pending);
        pending.clear();
        pendingInputs = 0;
        return ops;
    }

    private void flush() {
        List<Op> ops = take();
        thread.run(() -> executor.execute(ops));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    /// Gives all memory of the device back; buffers and matrices of it are dead then.
    @Override
    public void close() {
        thread.run(() -> {
            gpu.synchronize();
            executor.giveBack();
            gpu.close();
        });
        thread.close();
    }
}
