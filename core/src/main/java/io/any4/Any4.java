package io.any4;

import io.any4.calibrate.Calibration;
import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.CalibrationListener;
import io.any4.calibrate.CalibrationMode;
import io.any4.calibrate.JobListener;
import io.any4.calibrate.QuantizationJob;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.QuantizationResult;
import io.any4.calibrate.QuantizationSettings;
import io.any4.calibrate.StatisticsSource;
import io.any4.calibrate.Stopwatch;
import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.BatchGenerator;
import io.any4.engine.BatchGenerator.Prompt;
import io.any4.engine.Generation;
import io.any4.engine.GenerationDefaults;
import io.any4.engine.GenerationOptions;
import io.any4.engine.Generator;
import io.any4.engine.Scorer;
import io.any4.engine.TokenListener;
import io.any4.model.Decoder;
import io.any4.model.ModelConfig;
import io.any4.quant.QuantizationSpec;
import io.any4.text.StreamingDecoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// A language model ready to be used, quantized or not; and the way to quantize one.
///
///     Any4.quantize(Path.of("models/demo"), Path.of("demo-any4"), "any4,group-size=64");
///     try (Any4 model = Any4.load(Path.of("demo-any4"))) {
///         System.out.println(model.generate("Once upon a time", 64));
///         System.out.println(model.perplexity("The sea was calm that morning."));
///     }
///
/// For one thread at a time. The packages below offer each step by itself.
public final class Any4 implements AutoCloseable {
    /// Prompts continued at the same time.
    private static final int TOGETHER = 16;

    private final Checkpoint checkpoint;
    private final Tokenizer tokenizer;
    private final Device device;
    private final Decoder decoder;

    private Any4(Checkpoint checkpoint, Tokenizer tokenizer, Device device) {
        this.checkpoint = checkpoint;
        this.tokenizer = tokenizer;
        this.device = device;
        this.decoder = Decoder.load(checkpoint, device);
    }

    /// Opens a Hugging Face model directory on the processor's fastest kernels, with all cores: those that
    /// round activations to 14 bits, where there are any. To measure a model, give [#load(Path, Device)] a
    /// device that opens with [CpuOptions#defaults].
    ///
    /// @throws InvalidInputException if it is no such directory or the model is not supported
    public static Any4 load(Path directory) {
        return load(directory, CpuDevice.open(CpuOptions.fastest()));
    }

    /// Opens a model directory on a device, which is closed with the model.
    public static Any4 load(Path directory, Device device) {
        try {
            Checkpoint checkpoint = Checkpoint.open(directory);
            try {
                return open(checkpoint, device);
            } catch (RuntimeException e) {
                checkpoint.close();
                throw e;
            }
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
    }

    private static Any4 open(Checkpoint checkpoint, Device device) {
        Tokenizer tokenizer = Tokenizer.load(checkpoint.directory());
        try {
            return new Any4(checkpoint, tokenizer, device);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /// The text that most likely follows a prompt.
    ///
    /// @param maxTokens new tokens at most; it ends earlier where the model ends it, or at the end of its context
    public String generate(String prompt, int maxTokens) {
        StringBuilder text = new StringBuilder();
        generate(prompt, maxTokens, Sampling.GREEDY, text::append);
        return text.toString();
    }

    /// The text that most likely follows each of several prompts, which is faster than one after the other:
    /// up to sixteen are continued at the same time. The texts are those of [#generate(String, int)].
    public List<String> generate(List<String> prompts, int maxTokens) {
        GenerationOptions options = new GenerationOptions(maxTokens, Sampling.GREEDY, stopIds());
        List<int[]> ids = prompts.stream().map(p -> tokenizer.encode(p, true)).toList();
        List<Generation> generations = new BatchGenerator(decoder, TOGETHER)
                .generate(
                        ids.stream()
                                .map(p -> new Prompt(p, options, TokenListener.NONE))
                                .toList(),
                        done -> {});
        return IntStream.range(0, ids.size())
                .mapToObj(i ->
                        tokenizer.continuation(ids.get(i), generations.get(i).ids()))
                .toList();
    }

    /// Continues a prompt.
    ///
    /// @param pieces receives the new text as it comes about
    public Generation generate(String prompt, int maxTokens, Sampling sampling, Consumer<String> pieces) {
        int[] ids = tokenizer.encode(prompt, true);
        StreamingDecoder text = tokenizer.streaming(ids);
        TokenListener listener = id -> {
            pieces.accept(text.next(id));
            return true;
        };
        Generation result =
                new Generator(decoder).generate(ids, new GenerationOptions(maxTokens, sampling, stopIds()), listener);
        pieces.accept(text.finish());
        return result;
    }

    private Set<Integer> stopIds() {
        return GenerationDefaults.read(checkpoint.directory(), decoder.config()).stopIds();
    }

    /// The log-probability of each token of a text given those before it, in nats; the first token has none.
    public double[] logProbabilities(String text) {
        return new Scorer(decoder).logProbabilities(tokenizer.encode(text, true));
    }

    /// The perplexity of a text that fits the model's context: the exponential of the mean negative
    /// log-probability.
    ///
    /// @throws InvalidInputException if the text has fewer than two tokens or does not fit
    public double perplexity(String text) {
        double[] scores = logProbabilities(text);
        if (scores.length == 0) {
            throw new InvalidInputException("a perplexity needs at least two tokens: give a longer text");
        }
        return Math.exp(-Arrays.stream(scores).average().orElseThrow());
    }

    public ModelConfig config() {
        return decoder.config();
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    public Decoder decoder() {
        return decoder;
    }

    /// Quantizes a model with the usual settings: calibrated on the built-in prompt if the method makes use
    /// of it, embeddings and output head left as they are.
    ///
    /// @param output a directory that does not exist yet
    /// @param method a method and its settings, such as `any4` or `int4,group-size=64`; see
    ///     [QuantizationSpec#parse]
    /// @throws InvalidInputException if the input cannot be quantized or the output cannot be written
    public static QuantizationResult quantize(Path model, Path output, String method) {
        QuantizationSpec spec = QuantizationSpec.parse(method);
        Stopwatch watch = Stopwatch.start();
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Team team = new Team(Runtime.getRuntime().availableProcessors());
                Device device = CpuDevice.open(CpuOptions.defaults())) {
            StatisticsSource statistics =
                    spec.usesStatistics() ? calibrate(checkpoint, spec, device) : StatisticsSource.NONE;
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, QuantizationSettings.of(spec), statistics);
            return QuantizationJob.run(plan, output, statistics, team, JobListener.NONE, watch);
        }
    }

    private static StatisticsSource calibrate(Checkpoint checkpoint, QuantizationSpec spec, Device device) {
        try (Tokenizer tokenizer = Tokenizer.load(checkpoint.directory())) {
            Decoder decoder = Decoder.load(checkpoint, device);
            CalibrationData data =
                    CalibrationData.builtIn(tokenizer, decoder.config().contextLength());
            CalibrationMode mode = spec.quantizesInputs() ? CalibrationMode.SAMPLES : CalibrationMode.ONE_PASS;
            return Calibration.run(mode, decoder, data, CalibrationListener.NONE);
        }
    }

    @Override
    public void close() {
        tokenizer.close();
        device.close();
        checkpoint.close();
    }
}
