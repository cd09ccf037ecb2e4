package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The processor: heap buffers, one provider of inner loops, and a team of threads to run them on.
///
/// Buffers are float arrays and hold at most 2^31 - 1 floats; weights are read where they lie and may be
/// larger.
public final class CpuDevice implements Device {
    private final Kernels kernels;
    private final Team team;
    private final boolean ownsTeam;
    private final String description;
    private final @Nullable Prefill prefill;
    private final ProductLoops products;
    private final RoutedProduct routed = new RoutedProduct(this::multiply);
    private final ElementLoops elements;
    private final RopeLoop rope;
    private final TransformLoop transforms;
    private final Attention attention = new Attention();
    private final Sampler sampler;

    CpuDevice(Kernels kernels, Team team, boolean ownsTeam, String why) {
        this(kernels, team, ownsTeam, why, null);
    }

    private CpuDevice(Kernels kernels, Team team, boolean ownsTeam, String why, @Nullable PanelGemm panels) {
        this.kernels = kernels;
        this.team = team;
        this.ownsTeam = ownsTeam;
        this.prefill = panels == null ? null : new Prefill(team, panels);
        this.products = new ProductLoops(team);
        this.elements = new ElementLoops(kernels, team);
        this.rope = new RopeLoop(kernels, team);
        this.transforms = new TransformLoop(team);
        this.sampler = new Sampler(kernels);
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
        multiply((CpuMatrix) w, CpuBuffer.of(x), tokens, CpuBuffer.of(y));
    }

    private void multiply(CpuMatrix w, float[] x, int tokens, float[] y) {
        if (prefill != null && prefill.isFor(tokens) && w instanceof VectorMatrix decodable) {
            prefill.multiply(decodable, x, tokens, y);
        } else {
            products.run(w, x, tokens, y);
        }
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
        elements.add(CpuBuffer.of(x), CpuBuffer.of(y), Math.toIntExact(length));
    }

    @Override
    public void rmsNorm(Buffer x, Buffer gain, float epsilon, int rows, int width, Buffer out) {
        elements.rmsNorm(CpuBuffer.of(x), CpuBuffer.of(gain), epsilon, rows, width, CpuBuffer.of(out));
    }

    @Override
    public void rope(Buffer x, Buffer inverseFrequencies, int heads, int headDim, Span span, int position) {
        rope.run(CpuBuffer.of(x), inverseFrequencies, heads, headDim, span, position);
    }

    @Override
    public void store(Buffer source, int width, Buffer cache, Span span, int position) {
        int from = span.row() * width;
        int to = Math.multiplyExact(position, width);
        CpuRows.of(cache).put(CpuBuffer.of(source), from, span.tokens() * width, to);
    }

    @Override
    public void attention(
            Buffer q, Buffer keys, Buffer values, AttentionShape shape, Span span, int position, Buffer out) {
        attention.over(CpuRows.of(keys), CpuRows.of(values), shape);
        attention.of(CpuBuffer.of(q), span, position, CpuBuffer.of(out));
        kernels.attention(attention, team);
    }

    @Override
    public void swiglu(Buffer gate, Buffer up, long length, Buffer out) {
        elements.swiglu(CpuBuffer.of(gate), CpuBuffer.of(up), Math.toIntExact(length), CpuBuffer.of(out));
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
        routed.run((CpuStack) w, routes, shared, CpuBuffer.of(x), CpuBuffer.of(y));
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
        transforms.run(CpuBuffer.of(x), transform, rows, CpuBuffer.of(out));
    }

    /// Ends the threads, if the device started them; buffers and matrices need no closing.
    @Override
    public void close() {
        if (ownsTeam) {
            team.close();
        }
    }
}
