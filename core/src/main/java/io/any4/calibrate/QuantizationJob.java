package io.any4.calibrate;

import io.any4.checkpoint.CheckpointWriter;
import io.any4.checkpoint.DurableFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.ErrorStatistics;
import io.any4.quant.Hessian;
import io.any4.quant.InputSample;
import io.any4.quant.InputShift;
import io.any4.quant.InputTransforms;
import io.any4.quant.JointFloatSearch;
import io.any4.quant.Quantizer;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/// Quantizes a checkpoint to a new directory, one tensor at a time.
///
/// Memory is bounded by the largest tensors: weights are read from the mapped input, the next while one is in work,
/// and of the output only the matrix in work is held. The output comes into being in a hidden sibling `.OUT.partial`
/// and is renamed at the end, so `OUT` is complete or absent. A run that was interrupted goes on when it is started
/// again with the same settings and input. The same input, settings and statistics give the same bytes, for any number
/// of threads or interruptions, in all files but [QuantizationTime#FILE].
public final class QuantizationJob {
    private final QuantizationPlan plan;
    private final Path output;
    private final StatisticsSource statistics;
    private final Team team;
    private final ProgressMeter meter;
    private final Feedback feedback;
    private final Stopwatch watch;
    private QuantizationTime spentBefore = QuantizationTime.NONE;

    private QuantizationJob(
            QuantizationPlan plan,
            Path output,
            StatisticsSource statistics,
            Team team,
            JobListener listener,
            Stopwatch watch) {
        this.watch = watch;
        this.plan = plan;
        this.output = output;
        this.statistics = statistics;
        this.team = team;
        this.feedback = new Feedback(statistics.rounding(), team);
        int count = plan.copies().size() + plan.modules().size();
        this.meter = new ProgressMeter(listener, count, plan.quantizedWeights());
    }

    /// Carries out a plan; the time it notes begins now.
    ///
    /// @see #run(QuantizationPlan, Path, StatisticsSource, Team, JobListener, Stopwatch)
    public static QuantizationResult run(
            QuantizationPlan plan, Path output, StatisticsSource statistics, Team team, JobListener listener) {
        return run(plan, output, statistics, team, listener, Stopwatch.start());
    }

    /// Carries out a plan.
    ///
    /// @param output a directory that does not exist yet
    /// @param statistics the source that the plan was made with
    /// @param watch started when the work began of which the output is to note the time
    /// @throws InvalidInputException if the output exists or cannot be written, if a weight is not finite, or if an
    ///     interrupted run with another plan is in the way
    public static QuantizationResult run(
            QuantizationPlan plan,
            Path output,
            StatisticsSource statistics,
            Team team,
            JobListener listener,
            Stopwatch watch) {
        requireAbsent(output);
        return new QuantizationJob(plan, output, statistics, team, listener, watch).run();
    }

    /// Complains about an output that exists; for callers that want to know before they calibrate.
    ///
    /// @throws InvalidInputException if it does
    public static void requireAbsent(Path output) {
        if (Files.exists(output)) {
            throw new InvalidInputException(
                    "%s exists already: delete it or choose another output directory".formatted(output));
        }
    }

    private QuantizationResult run() {
        try (WorkDirectory work = WorkDirectory.open(output, plan.fingerprint())) {
            SequencedMap<String, ErrorStatistics> errors;
            spentBefore = work.spent();
            try {
                errors = fill(work);
            } catch (InvalidInputException e) {
                if (!(e.getCause() instanceof IOException)) {
                    work.delete(); // the disk may be mended and the run continued; a bad input stays bad
                }
                throw e;
            }
            QuantizationTime time = spent();
            time.write(work.checkpoint());
            work.publish();
            return new QuantizationResult(errors, time);
        }
    }

    private QuantizationTime spent() {
        return spentBefore.plus(watch.read());
    }

    private SequencedMap<String, ErrorStatistics> fill(WorkDirectory work) {
        if (work.finished().isEmpty()) {
            requireSpace(work.checkpoint());
        }
        try (CheckpointWriter writer = CheckpointWriter.open(work.checkpoint(), plan.layout())) {
            for (String name : plan.copies()) {
                copy(name, writer);
            }
            SequencedMap<String, ErrorStatistics> errors = quantize(work, writer);
            writer.force();
            addSideFiles(work.checkpoint());
            return errors;
        }
    }

    private void requireSpace(Path directory) {
        long needed = plan.outputBytes();
        try {
            long usable = Files.getFileStore(directory).getUsableSpace();
            if (usable < needed) {
                throw new InvalidInputException(String.format(
                        Locale.ROOT,
                        "%s needs %,d bytes but only %,d are free there: free some or choose another output",
                        output,
                        needed,
                        usable));
            }
        } catch (IOException e) {
            throw InvalidInputException.writing(directory, e);
        }
    }

    private void copy(String name, CheckpointWriter writer) {
        Tensor tensor = plan.checkpoint().tensor(name);
        long rows = tensor.shape().rank() == 0 ? 1 : tensor.rows();
        meter.start(name, rows, 0, false);
        if (name.endsWith(ModelTensors.WEIGHT)) {
            FiniteCheck.require(name, tensor, team, plan.checkpoint().directory());
        }
        writer.write(name, tensor);
        meter.rows(rows, ErrorStatistics.EMPTY);
    }

    private SequencedMap<String, ErrorStatistics> quantize(WorkDirectory work, CheckpointWriter writer) {
        SequencedMap<String, ErrorStatistics> finished = new LinkedHashMap<>(work.finished());
        SequencedMap<String, ErrorStatistics> errors = new LinkedHashMap<>();
        Iterator<Any4Config.Module> unfinished = unfinished(finished);
        int number = 0;
        try (ReadAhead reads = new ReadAhead();
                Commits<Finished> commits = new Commits<>(batch -> {
                    writer.force();
                    work.finished(batch);
                })) {
            for (List<Any4Config.Module> block : Blocks.of(plan.modules(), plan.blocks())) {
                boolean shown = statistics.sequential() && number < plan.blocks();
                Map<String, Weight> weights = new LinkedHashMap<>();
                try (Arena arena = Arena.ofShared()) {
                    for (Any4Config.Module module : block) {
                        ErrorStatistics error = finished.get(module.name());
                        if (error != null) {
                            meter.alreadyDone(module.name(), module.rows() * module.columns(), error);
                        } else {
                            if (unfinished.hasNext()) {
                                reads.begin(weights(unfinished.next()));
                            }
                            error = quantize(module, writer);
                            commits.add(new Finished(module.name(), error, spent()));
                        }
                        errors.put(module.name(), error);
                        if (shown) {
                            weights.put(module.name(), show(module, writer, arena));
                        }
                    }
                    if (shown) {
                        statistics.quantized(number, weights);
                    }
                }
                number++;
            }
            commits.finish();
        }
        return errors;
    }

    /// The modules that are still to be quantized, but for the first.
    private Iterator<Any4Config.Module> unfinished(Map<String, ErrorStatistics> finished) {
        return Blocks.of(plan.modules(), plan.blocks()).stream()
                .flatMap(List::stream)
                .filter(module -> !finished.containsKey(module.name()))
                .skip(1)
                .iterator();
    }

    private Tensor weights(Any4Config.Module module) {
        return plan.checkpoint().tensor(module.name() + ModelTensors.WEIGHT);
    }

    private ErrorStatistics quantize(Any4Config.Module module, CheckpointWriter writer) {
        String name = module.name() + ModelTensors.WEIGHT;
        Tensor weights = weights(module);
        var channels = statistics.statistics(module.name());
        ErrorStatistics[] error = {ErrorStatistics.EMPTY};
        meter.start(module.name(), module.rows(), module.columns(), true);
        RowListener listener = (done, rows, soFar) -> {
            error[0] = soFar;
            meter.rows(done, soFar);
        };
        try (Arena arena = Arena.ofShared()) {
            Quantizer quantizer = module.spec().quantizer();
            Hessian hessian = statistics.hessian(module.name());
            Weight quantized;
            if (module.spec().quantizesInputs()) {
                quantized = quantizeWithInputs(module, weights, listener, arena, writer);
            } else if (hessian == null || !statistics.rounding().usesHessian()) {
                quantized = quantizer.quantize(weights, channels, team, listener, arena);
            } else {
                Weight levels = quantizer.quantize(weights, channels, team, RowListener.NONE, arena);
                Hessian heldOut = statistics.heldOut(module.name());
                InputShift shift = statistics.shift(module.name());
                quantized = feedback.apply(hessian, heldOut, shift, weights, levels, listener, arena);
            }
            Any4Format.tensors(module.name(), quantized).forEach(writer::write);
        } catch (InvalidInputException e) {
            if (e.getCause() instanceof IOException) {
                throw e;
            }
            throw new InvalidInputException(
                    "tensor %s in %s cannot be quantized: %s"
                            .formatted(name, plan.checkpoint().directory(), e.getMessage()),
                    e);
        }
        meter.finish(error[0]);
        return error[0];
    }

    private Weight quantizeWithInputs(
            Any4Config.Module module, Tensor weights, RowListener listener, Arena arena, CheckpointWriter writer) {
        InputSample sample = statistics.sample(module.name());
        if (sample == null) {
            throw new InvalidInputException(
                    "%s rounds inputs too, of which there is no sample: calibrate on samples, on a longer text if need be"
                            .formatted(module.spec().method().id()));
        }
        JointFloatSearch.Result result =
                new JointFloatSearch(module.spec(), team).quantize(weights, sample, listener, arena);
        InputTransforms.tensors(module.name(), result.activations()).forEach(writer::write);
        return result.weight();
    }

    /// Lets the source of statistics go on with a weight as it was written.
    private Weight show(Any4Config.Module module, CheckpointWriter writer, Arena arena) {
        Weight weight =
                Any4Format.assemble(name -> writer.view(name, arena), module.name(), module.spec(), module.columns());
        statistics.quantized(module.name(), weight);
        return weight;
    }

    private void addSideFiles(Path directory) {
        DurableFiles.write(directory.resolve("config.json"), plan.config());
        for (Path file : plan.sideFiles()) {
            byte[] bytes;
            try {
                bytes = Files.readAllBytes(file);
            } catch (IOException e) {
                throw InvalidInputException.reading(file, e);
            }
            DurableFiles.write(directory.resolve(file.getFileName()), bytes);
        }
    }
}
