package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Identifies a job: an interrupted run may go on only if settings, program and input are what they were.
final class Fingerprint {
    private Fingerprint() {}

    /// SHA-256 over the settings, the output's config.json (which names the program, the calibration and every module
    /// that is special) and name, size and time of every weight file.
    static String of(Checkpoint checkpoint, QuantizationSettings settings, byte[] config) {
        MessageDigest digest = sha256();
        digest.update(settings.describe().getBytes(StandardCharsets.UTF_8));
        digest.update(config);
        for (Path file : checkpoint.files()) {
            digest.update(identity(file).getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// SHA-256 over configuration, settings, and name, size and time of every weight file.
    static String of(Checkpoint checkpoint, String settings) {
        MessageDigest digest = sha256();
        digest.update("%s %s%n".formatted(checkpoint.config(), settings).getBytes(StandardCharsets.UTF_8));
        for (Path file : checkpoint.files()) {
            digest.update(identity(file).getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String identity(Path file) {
        try {
            return "%s %d %s%n".formatted(file.getFileName(), Files.size(file), Files.getLastModifiedTime(file));
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
