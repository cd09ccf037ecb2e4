package io.any4.bench;

import io.any4.calibrate.QuantizationTime;
import io.any4.calibrate.Stopwatch;
import io.any4.quant.ChannelStatistics;
import io.any4.quant.ErrorStatistics;
import io.any4.quant.Gptq;
import io.any4.quant.Hessian;
import io.any4.quant.QuantizationSpec;
import io.any4.quant.RowListener;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/// How long one random matrix takes to quantize, and how near the tables of any4 come to the best ones:
/// `QuantizationSpeed [rounds] [rows] [columns] [threads] [format ...]`, where `gptq` stands for its three steps.
///
/// Formats take turns, so that what else the machine does meets all of them. The objective is the error that any4
/// minimises, relative to that of the exact solution; times are medians, but for the first round, in which Java still
/// compiles.
final class QuantizationSpeed {
    private static final String GPTQ = "gptq";
    private static final List<String> FORMATS = List.of(
            "int4",
            "nf4",
            "any4",
            "any4,kmeans=exact",
            "any4,kmeans=lloyd,weighting=mean",
            "any3",
            "any4s",
            "fpq-w4a16",
            GPTQ);
    private static final String REFERENCE = "any4,kmeans=exact";

    private final int rounds;
    private final int rows;
    private final int columns;
    private final Team team;
    private final Tensor weights;
    private final float[] inputs;
    private final ChannelStatistics statistics;

    /// What one way to quantize took.
    private static final class Times {
        private final String name;
        private final List<QuantizationTime> readings = new ArrayList<>();
        private ErrorStatistics error = ErrorStatistics.EMPTY;

        Times(String name) {
            this.name = name;
        }

        void print(double leastError) {
            List<QuantizationTime> later = readings.subList(Math.min(1, readings.size() - 1), readings.size()).stream()
                    .sorted(Comparator.comparingDouble(QuantizationTime::cpuSeconds))
                    .toList();
            QuantizationTime median = later.get(later.size() / 2);
            String objective =
                    leastError == 0 ? "" : "%+.3f %%".formatted(100 * (error.weightedSquaredError() / leastError - 1));
            System.out.printf(
                    "%-36s %6.2f CPU s %6.2f s   first %6.2f CPU s   %s%n",
                    name,
                    median.cpuSeconds(),
                    median.seconds(),
                    readings.getFirst().cpuSeconds(),
                    objective);
        }
    }

    private QuantizationSpeed(int rounds, int rows, int columns, Team team) {
        this.rounds = rounds;
        this.rows = rows;
        this.columns = columns;
        this.team = team;
        SplittableRandom random = new SplittableRandom(5);
        weights = Tensor.allocate(Arena.ofAuto(), DType.BF16, rows, columns);
        for (long i = 0; i < weights.elements(); i++) {
            weights.setFloat(i, (float) (0.02 * random.nextGaussian()));
        }
        inputs = inputs(random, columns);
        statistics = statistics(inputs, columns);
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
        int rows = args.length > 1 ? Integer.parseInt(args[1]) : 4096;
        int columns = args.length > 2 ? Integer.parseInt(args[2]) : 4096;
        int threads = args.length > 3
                ? Integer.parseInt(args[3])
                : Runtime.getRuntime().availableProcessors();
        try (Team team = new Team(threads)) {
            System.out.printf("%d x %d, %d threads, %d rounds%n", rows, columns, threads, rounds);
            List<String> formats = args.length > 4 ? List.of(args).subList(4, args.length) : FORMATS;
            new QuantizationSpeed(rounds, rows, columns, team).run(formats, threads);
        }
    }

    private void run(List<String> names, int threads) {
        List<Times> formats = names.stream()
                .filter(name -> !name.equals(GPTQ))
                .map(Times::new)
                .toList();
        List<Times> steps = List.of(
                new Times("Hessian of %d tokens".formatted(columns)),
                new Times("GPTQ: factor the Hessian"),
                new Times("GPTQ: any4 codes by feedback"));
        for (int round = 0; round < rounds; round++) {
            formats.forEach(this::quantize);
            if (names.contains(GPTQ)) {
                feedBack(steps, threads);
            }
        }
        double least = formats.stream()
                .filter(format -> format.name.equals(REFERENCE))
                .mapToDouble(format -> format.error.weightedSquaredError())
                .findFirst()
                .orElse(0);
        for (Times format : formats) {
            format.print(format.name.startsWith("any4,") || format.name.equals("any4") ? least : 0);
        }
        if (names.contains(GPTQ)) {
            steps.forEach(step -> step.print(0));
        }
    }

    private void feedBack(List<Times> steps, int threads) {
        Stopwatch watch = Stopwatch.start();
        Hessian hessian = hessian(threads);
        steps.get(0).readings.add(watch.read());
        Weight levels =
                QuantizationSpec.parse("any4").quantizer().quantize(weights, statistics, team, RowListener.NONE);
        watch = Stopwatch.start();
        Gptq gptq = Gptq.prepare(hessian, Gptq.Settings.USUAL, team);
        steps.get(1).readings.add(watch.read());
        watch = Stopwatch.start();
        gptq.requantize(weights, levels, team, RowListener.NONE, Arena.ofAuto());
        steps.get(2).readings.add(watch.read());
    }

    private void quantize(Times format) {
        Stopwatch watch = Stopwatch.start();
        QuantizationSpec.parse(format.name)
                .quantizer()
                .quantize(weights, statistics, team, (done, all, soFar) -> format.error = soFar);
        format.readings.add(watch.read());
    }

    /// As many tokens as channels: channels differ in size, and neighbours resemble each other.
    private static float[] inputs(SplittableRandom random, int columns) {
        float[] x = new float[Math.multiplyExact(columns, columns)];
        float[] sizes = new float[columns];
        for (int j = 0; j < columns; j++) {
            sizes[j] = (float) Math.exp(0.7 * random.nextGaussian());
        }
        for (int t = 0; t < columns; t++) {
            double previous = 0;
            for (int j = 0; j < columns; j++) {
                previous = 0.6 * previous + 0.8 * (random.nextInt(1 << 20) / 524288.0 - 1);
                x[t * columns + j] = (float) (sizes[j] * previous);
            }
        }
        return x;
    }

    private static ChannelStatistics statistics(float[] x, int columns) {
        double[] mean = new double[columns];
        double[] absolute = new double[columns];
        double[] square = new double[columns];
        for (int t = 0; t < columns; t++) {
            for (int j = 0; j < columns; j++) {
                double value = x[t * columns + j];
                mean[j] += value / columns;
                absolute[j] += Math.abs(value) / columns;
                square[j] += value * value / columns;
            }
        }
        return new ChannelStatistics(mean, absolute, square, columns);
    }

    /// The second moments of the inputs, as one product of the device.
    private Hessian hessian(int threads) {
        int tokens = columns;
        float[] transposed = new float[inputs.length];
        for (int t = 0; t < tokens; t++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * tokens + t] = inputs[t * columns + j] / (float) Math.sqrt(tokens);
            }
        }
        try (CpuDevice device = CpuDevice.open(new CpuOptions(threads, false))) {
            Tensor all = Tensor.ofFloats(DType.F32, transposed, columns, tokens);
            Buffer x = device.allocate(transposed.length);
            Buffer y = device.allocate((long) columns * columns);
            device.write(transposed, x, 0);
            device.matmul(device.prepare(new DenseWeight(all)), x, columns, y);
            float[] moments = new float[Math.multiplyExact(columns, columns)];
            device.read(y, 0, moments, moments.length);
            return new Hessian(Tensor.ofFloats(DType.F32, moments, columns, columns), tokens);
        }
    }
}
