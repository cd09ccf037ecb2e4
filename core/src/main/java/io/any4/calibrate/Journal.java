package io.any4.calibrate;

import io.any4.quant.ErrorStatistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// A file of lines that only grows: a fingerprint, then one line per finished module. While it is open it is locked.
///
/// A line counts once its newline is written, so a process may be killed at any moment.
final class Journal implements AutoCloseable {
    private final FileChannel channel;
    private final SequencedMap<String, ErrorStatistics> modules = new LinkedHashMap<>();
    private QuantizationTime spent = QuantizationTime.NONE;
    private String fingerprint = "";

    private Journal(FileChannel channel) {
        this.channel = channel;
    }

    /// @param fresh whether to forget what the file holds
    /// @throws OverlappingFileLockException if the file is open elsewhere, in this process or another
    static Journal open(Path file, boolean fresh) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() == null) {
                throw new OverlappingFileLockException();
            }
            if (fresh) {
                channel.truncate(0);
            }
            Journal journal = new Journal(channel);
            journal.read();
            return journal;
        } catch (IOException | OverlappingFileLockException e) {
            channel.close();
            throw e;
        }
    }

    private void read() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(channel.size()));
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {}
        String text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
        String whole = text.substring(0, text.lastIndexOf('\n') + 1);
        channel.truncate(whole.getBytes(StandardCharsets.UTF_8).length);
        channel.position(channel.size());
        for (String line : whole.lines().toList()) {
            if (fingerprint.isEmpty()) {
                fingerprint = line;
            } else {
                String[] parts = line.split("\t", -1);
                modules.put(parts[0], errors(parts));
                spent = new QuantizationTime(Double.parseDouble(parts[7]), Double.parseDouble(parts[8]));
            }
        }
    }

    private static ErrorStatistics errors(String[] parts) {
        return new ErrorStatistics(
                Long.parseLong(parts[1]),
                Double.parseDouble(parts[2]),
                Double.parseDouble(parts[3]),
                Double.parseDouble(parts[4]),
                Double.parseDouble(parts[5]),
                Double.parseDouble(parts[6]));
    }

    /// Identifies the run; empty if the journal has just begun.
    String fingerprint() {
        return fingerprint;
    }

    /// What all runs together had spent when the last module was noted.
    QuantizationTime spent() {
        return spent;
    }

    /// The finished modules.
    SequencedMap<String, ErrorStatistics> modules() {
        return Collections.unmodifiableSequencedMap(modules);
    }

    /// Writes the first line.
    void begin(String newFingerprint) throws IOException {
        append(newFingerprint);
        fingerprint = newFingerprint;
    }

    /// Notes finished modules.
    void add(List<Finished> finished) throws IOException {
        append(finished.stream().map(Journal::line).collect(Collectors.joining("\n")));
        for (Finished module : finished) {
            modules.put(module.module(), module.error());
            spent = module.spent();
        }
    }

    private static String line(Finished finished) {
        ErrorStatistics error = finished.error();
        return String.join(
                "\t",
                finished.module(),
                Long.toString(error.elements()),
                Double.toString(error.squaredError()),
                Double.toString(error.squaredWeight()),
                Double.toString(error.maxAbsoluteError()),
                Double.toString(error.weightedSquaredError()),
                Double.toString(error.weightedSquaredWeight()),
                Double.toString(finished.spent().seconds()),
                Double.toString(finished.spent().cpuSeconds()));
    }

    private void append(String lines) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap((lines + "\n").getBytes(StandardCharsets.UTF_8));
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
