package io.any4.calibrate;

import io.any4.checkpoint.DurableFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.ErrorStatistics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;

/// The hidden sibling of an output directory in which it comes into being: `.OUT.partial`.
///
/// It holds the unfinished checkpoint and a journal of the finished modules. A process that is killed leaves both, and
/// the next run with the same plan goes on. When all is done the checkpoint is renamed to `OUT` in one step.
final class WorkDirectory implements AutoCloseable {
    private final Path output;
    private final Path root;
    private final Path checkpoint;
    private final Journal journal;

    private WorkDirectory(Path output, Path root, Path checkpoint, Journal journal) {
        this.output = output;
        this.root = root;
        this.checkpoint = checkpoint;
        this.journal = journal;
    }

    /// @throws InvalidInputException if another process is at work there, or if an interrupted run with another plan is
    static WorkDirectory open(Path output, String fingerprint) {
        Path root = root(output);
        Path checkpoint = root.resolve("checkpoint");
        try {
            boolean fresh = !Files.exists(checkpoint);
            Files.createDirectories(checkpoint);
            Journal journal = Journal.open(root.resolve("journal"), fresh);
            try {
                requireSamePlan(journal, fingerprint, root);
                return new WorkDirectory(output, root, checkpoint, journal);
            } catch (InvalidInputException e) {
                journal.close();
                throw e;
            }
        } catch (OverlappingFileLockException e) {
            throw new InvalidInputException(
                    "another run is writing %s: wait for it or choose another output".formatted(output), e);
        } catch (IOException e) {
            throw InvalidInputException.writing(root, e);
        }
    }

    /// Where an interrupted run would have left its work.
    static Path root(Path output) {
        Path absolute = output.toAbsolutePath().normalize();
        return absolute.resolveSibling(".%s.partial".formatted(absolute.getFileName()));
    }

    private static void requireSamePlan(Journal journal, String fingerprint, Path root) throws IOException {
        if (journal.fingerprint().isEmpty()) {
            journal.begin(fingerprint);
        } else if (!journal.fingerprint().equals(fingerprint)) {
            throw new InvalidInputException(
                    "%s holds an interrupted run with other settings or another input: repeat those, or delete it to start anew"
                            .formatted(root));
        }
    }

    /// Where the checkpoint is being written.
    Path checkpoint() {
        return checkpoint;
    }

    /// The modules that are finished, with what they cost.
    SequencedMap<String, ErrorStatistics> finished() {
        return journal.modules();
    }

    /// What interrupted runs have spent on the finished modules.
    QuantizationTime spent() {
        return journal.spent();
    }

    /// Notes that modules are finished; their tensors have to be on the disk.
    void finished(List<Finished> modules) {
        try {
            journal.add(modules);
        } catch (IOException e) {
            throw InvalidInputException.writing(root, e);
        }
    }

    /// Gives the finished checkpoint its name and removes the rest.
    void publish() {
        try {
            if (Files.exists(output)) {
                throw new InvalidInputException(
                        "%s has appeared meanwhile: move it away and run the same command again".formatted(output));
            }
            DurableFiles.move(checkpoint, output.toAbsolutePath());
            delete();
        } catch (IOException e) {
            throw InvalidInputException.writing(output, e);
        }
    }

    /// Removes everything.
    void delete() {
        try {
            journal.close();
            DirectoryTrees.delete(root);
        } catch (IOException e) {
            throw InvalidInputException.writing(root, e);
        }
    }

    @Override
    public void close() {
        try {
            journal.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
