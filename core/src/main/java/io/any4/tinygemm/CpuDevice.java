package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The processor: heap buffers, one provider of inner loops, and a team of threads to run them on.
///
/// Buffers are float arrays and hold at most 2^31 - 1 floats; weights are read where they lie and may be
/// larger.
public final class CpuDevice implements Device {
    private static final int ELEMENT_GRAIN = 4096;

    private final Kernels kernels;
    private final Team team;
    private final boolean ownsTeam;
    private final String description;
    /// By buffer of frequencies, as long as a model uses it.
    private final Map<Buffer, RopeTable> ropeTables = new WeakHashMap<>();

    private final @Nullable Prefill prefill;
    private final Sampler sampler;
    private MemorySegment arranged = Scratch.aligned(0);

    CpuDevice(Kernels kernels, Team team, boolean ownsTeam, String why) {
        this(kernels, team, ownsTeam, why, null);
    }

    private CpuDevice(Kernels kernels, Team team, boolean ownsTeam, String why, @Nullable PanelGemm panels) {
        this.kernels = kernels;
        this.sampler = new Sampler(kernels);
        this.team = team;
        this.ownsTeam = ownsTeam;
        this.prefill = panels == null ? null : new Prefill(team, panels);
        this.description =
                "cpu: %s, %d thread%s%s".formatted(kernels.name(), team.threads(), team.threads() == 1 ? "" : "s", why);
    }

    /// The oracle: plain Java with sums in double. Slow; for tests and for checking other devices. The team
    /// stays the caller's.
    public static CpuDevice scalar(Team team) {
        return new CpuDevice(new ScalarKernels(), team, false, "");
    }

    /// A device with the fastest kernels there are; [#describe] says which and why.
    ///
    /// @throws InvalidInputException if vector kernels are required or an accelerator is given and cannot be used
    public static CpuDevice open(CpuOptions options) {
        Accelerator accelerator = options.accelerator();
        obstacle(options.activations()).ifPresent(missing -> {
            throw new InvalidInputException("activations cannot be %s here: %s"
                    .formatted(options.activations().name().toLowerCase(Locale.ROOT), missing));
        });
        boolean scalar = VectorBits.requested().orElse(-1) == 0;
        Optional<String> obstacle = VectorBits.obstacle();
        if (obstacle.isEmpty() && !scalar) {
            return open(options, accelerator);
        }
        String reason =
                scalar ? "asked for by system property " + VectorBits.PROPERTY : "because " + obstacle.orElseThrow();
        if (accelerator != null) {
            throw new InvalidInputException(
                    "%s needs vector kernels but scalar ones would run, %s".formatted(accelerator.name(), reason));
        }
        if (options.requireVector()) {
            throw new InvalidInputException("vector kernels are required but scalar ones would run, " + reason);
        }
        return new CpuDevice(new ScalarKernels(), new Team(options.threads()), true, ", " + reason);
    }

    private static CpuDevice open(CpuOptions options, @Nullable Accelerator accelerator) {
        if (options.activations() != Activations.F32 && accelerator != null) {
            throw new InvalidInputException(
                    "%s multiplies floats: leave it out, or let activations be floats".formatted(accelerator.name()));
        }
        PanelGemm panels = accelerator == null ? null : accelerator.open();
        String why = why(options.activations());
        if (accelerator != null) {
            why = "%s; prompts by %s".formatted(why, accelerator.probe());
        }
        VectorKernels kernels = new VectorKernels(options.activations());
        return new CpuDevice(kernels, new Team(options.threads()), true, why, panels);
    }

    /// What keeps this process from such activations, with what would help; empty if nothing does.
    public static Optional<String> obstacle(Activations activations) {
        if (activations == Activations.F32) {
            return Optional.empty();
        }
        if (VectorBits.requested().orElse(-1) == 0) {
            return Optional.of("system property %s asks for scalar kernels".formatted(VectorBits.PROPERTY));
        }
        Optional<String> obstacle = VectorBits.obstacle();
        return obstacle.isPresent() ? obstacle : IntegerInstructions.obstacle(activations);
    }

    private static String why(Activations activations) {
        if (activations != Activations.F32) {
            return ", " + IntegerInstructions.describe(activations);
        }
        String width = VectorBits.requested().isPresent()
                ? "asked for by system property " + VectorBits.PROPERTY
                : "the width Java prefers on this processor";
        return ", " + width + ", so that " + VectorKernels.lookup();
    }

    @Override
    public String describe() {
        return description;
    }

    @Override
    public Buffer allocate(DType dtype, long length) {
        if (length > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a buffer of a CPU device holds at most 2^31 floats, not %d: use a shorter context"
                            .formatted(length));
        }
        int elements = Math.toIntExact(length);
        return dtype == DType.F32 ? new CpuBuffer(new float[elements]) : new CpuHalfBuffer(new short[elements], dtype);
    }

    @Override
    public void write(float[] values, Buffer target, long offset) {
        CpuRows.of(target).put(values, 0, values.length, Math.toIntExact(offset));
    }

    @Override
    public void read(Buffer source, long offset, float[] out, int count) {
        CpuRows.of(source).widen(Math.toIntExact(offset), count, out, 0);
    }

    @Override
    public Matrix prepare(Weight weight) {
        return kernels.prepare(weight, team);
    }

    @Override
    public void embed(Matrix table, int[] ids, Buffer out) {
        float[] data = CpuBuffer.of(out);
        for (int t = 0; t < ids.length; t++) {
            table.weight().dequantizeRow(ids[t], data, t * table.columns());
        }
    }

    @Override
    public void embed(Matrix table, Buffer chosen, Buffer out) {
        table.weight().dequantizeRow((int) CpuBuffer.of(chosen)[0], CpuBuffer.of(out), 0);
    }

    @Override
    public void matmul(Matrix w, Buffer x, int tokens, Buffer y) {
        CpuMatrix matrix = (CpuMatrix) w;
        int columns = matrix.columns();
        int length = matrix.arrangedLength();
        float[] from = CpuBuffer.of(x);
        float[] to = CpuBuffer.of(y);
        if (prefill != null && prefill.isFor(tokens) && matrix instanceof VectorMatrix decodable) {
            prefill.multiply(decodable, from, tokens, to);
            return;
        }
        MemorySegment inputs = arrangedSpace((long) tokens * length);
        team.run(tokens, 4, (first, last) -> {
            for (int t = first; t < last; t++) {
                matrix.arrange(from, t * columns, inputs, (long) t * length);
            }
        });
        team.run(matrix.rows(), matrix.rowGrain(), (first, last) -> matrix.multiply(inputs, tokens, to, first, last));
    }

    private MemorySegment arrangedSpace(long length) {
        if (arranged.byteSize() < 4 * length) {
            arranged = Scratch.aligned(length);
        }
        return arranged;
    }

    @Override
    public void addBias(Buffer y, Buffer bias, int tokens, int width) {
        float[] data = CpuBuffer.of(y);
        float[] addend = CpuBuffer.of(bias);
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < width; i++) {
                data[t * width + i] += addend[i];
            }
        }
    }

    @Override
    public void add(Buffer x, Buffer y, long length) {
        float[] sum = CpuBuffer.of(x);
        float[] addend = CpuBuffer.of(y);
        team.run(Math.toIntExact(length), ELEMENT_GRAIN, (from, to) -> kernels.add(sum, addend, from, to));
    }

    @Override
    public void rmsNorm(Buffer x, Buffer gain, float epsilon, int rows, int width, Buffer out) {
        float[] from = CpuBuffer.of(x);
        float[] to = CpuBuffer.of(out);
        float[] gains = CpuBuffer.of(gain);
        int grain = Math.max(1, ELEMENT_GRAIN / width);
        team.run(rows, grain, (first, last) -> kernels.rmsNorm(from, gains, epsilon, width, to, first, last));
    }

    @Override
    public void rope(Buffer x, Buffer inverseFrequencies, int heads, int headDim, Span span) {
        float[] data = CpuBuffer.of(x);
        RopeTable table = ropeTable(inverseFrequencies);
        table.reach(span.position() + span.tokens());
        float[] cos = table.cosines();
        float[] sin = table.sines();
        int half = headDim / 2;
        team.run(span.tokens(), 4, (first, last) -> {
            for (int t = first; t < last; t++) {
                int angle = (span.position() + t) * half;
                for (int head = 0; head < heads; head++) {
                    kernels.rotate(data, ((span.row() + t) * heads + head) * headDim, cos, sin, angle, half);
                }
            }
        });
    }

    private RopeTable ropeTable(Buffer frequencies) {
        RopeTable table = ropeTables.get(frequencies);
        if (table == null) {
            table = new RopeTable(CpuBuffer.of(frequencies).clone());
            ropeTables.put(frequencies, table);
        }
        return table;
    }

    @Override
    public void store(Buffer source, int width, Buffer cache, Span span) {
        int from = span.row() * width;
        int to = Math.multiplyExact(span.position(), width);
        CpuRows.of(cache).put(CpuBuffer.of(source), from, span.tokens() * width, to);
    }

    @Override
    public void attention(Buffer q, Buffer keys, Buffer values, AttentionShape shape, Span span, Buffer out) {
        Attention attention =
                new Attention(CpuBuffer.of(q), CpuRows.of(keys), CpuRows.of(values), shape, span, CpuBuffer.of(out));
        kernels.attention(attention, team);
    }

    @Override
    public void swiglu(Buffer gate, Buffer up, long length, Buffer out) {
        float[] gates = CpuBuffer.of(gate);
        float[] ups = CpuBuffer.of(up);
        float[] to = CpuBuffer.of(out);
        team.run(Math.toIntExact(length), ELEMENT_GRAIN, (from, end) -> kernels.swiglu(gates, ups, to, from, end));
    }

    @Override
    public void gather(Buffer x, int[] rows, int width, Buffer out) {
        float[] from = CpuBuffer.of(x);
        float[] to = CpuBuffer.of(out);
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(from, rows[i] * width, to, i * width, width);
        }
    }

    @Override
    public void scatterAdd(Buffer x, int[] rows, float[] factors, int width, Buffer out) {
        float[] from = CpuBuffer.of(x);
        float[] to = CpuBuffer.of(out);
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < width; j++) {
                to[rows[i] * width + j] += factors[i] * from[i * width + j];
            }
        }
    }

    @Override
    public void route(Buffer scores, int experts, Routes routes) {
        float[] from = CpuBuffer.of(scores);
        float[] pairs = CpuBuffer.of(routes.pairs());
        int best = routes.perToken();
        for (int t = 0; t < routes.tokens(); t++) {
            BestScores.choose(from, t * experts, experts, best, pairs, 2 * t * best);
        }
    }

    @Override
    public MatrixStack stack(List<Matrix> matrices) {
        return new CpuStack(matrices);
    }

    @Override
    public void matmul(MatrixStack w, Routes routes, boolean shared, Buffer x, Buffer y) {
        float[] pairs = CpuBuffer.of(routes.pairs());
        for (int m = 0; m < w.count(); m++) {
            int matrix = m;
            int[] slots = IntStream.range(0, routes.slots())
                    .filter(slot -> pairs[2 * slot] == matrix)
                    .toArray();
            if (slots.length > 0) {
                int[] rows = IntStream.of(slots)
                        .map(slot -> shared ? slot / routes.perToken() : slot)
                        .toArray();
                multiplyRows(((CpuStack) w).matrices().get(m), x, rows, y, slots);
            }
        }
    }

    /// `y[to[i]] = w x[from[i]]`.
    private void multiplyRows(Matrix w, Buffer x, int[] from, Buffer y, int[] to) {
        Buffer inputs = allocate((long) from.length * w.columns());
        Buffer outputs = allocate((long) from.length * w.rows());
        gather(x, from, w.columns(), inputs);
        matmul(w, inputs, from.length, outputs);
        for (int i = 0; i < to.length; i++) {
            System.arraycopy(CpuBuffer.of(outputs), i * w.rows(), CpuBuffer.of(y), to[i] * w.rows(), w.rows());
        }
    }

    @Override
    public void combine(Buffer x, Routes routes, int width, Buffer out) {
        float[] from = CpuBuffer.of(x);
        float[] pairs = CpuBuffer.of(routes.pairs());
        float[] to = CpuBuffer.of(out);
        for (int slot = 0; slot < routes.slots(); slot++) {
            float share = pairs[2 * slot + 1];
            int row = slot / routes.perToken() * width;
            for (int i = 0; i < width; i++) {
                to[row + i] += share * from[slot * width + i];
            }
        }
    }

    @Override
    public void choose(Buffer logits, int row, int count, Sampling sampling, int draw, Buffer chosen) {
        int id = sampler.choose(CpuBuffer.of(logits), row * count, count, sampling, draw);
        CpuBuffer.of(chosen)[row] = id == Sampler.NONE ? Float.NaN : id;
    }

    @Override
    public void transform(Buffer x, InputTransform transform, int rows, Buffer out) {
        float[] from = CpuBuffer.of(x);
        float[] to = CpuBuffer.of(out);
        int width = transform.width();
        team.run(rows, 1, (first, last) -> transform.apply(from, first * width, to, first * width, last - first));
    }

    /// Ends the threads, if the device started them; buffers and matrices need no closing.
    @Override
    public void close() {
        if (ownsTeam) {
            team.close();
        }
    }
}
