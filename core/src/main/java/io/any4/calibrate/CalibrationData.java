package io.any4.calibrate;

import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import tools.jackson.databind.node.ObjectNode;

/// The token sequences that a model is run on to see what activations look like.
///
/// @param windows each a sequence of its own, beginning at position 0
/// @param dataset where the text comes from: `built-in`, `self`, or the name of a file
/// @param seed of the choice of windows; 0 where nothing was chosen
/// @param sha256 of the text, or of the token ids, 4 bytes each, least significant first
public record CalibrationData(List<int[]> windows, String dataset, long seed, String sha256) {
    private static final String PROMPT = "prompt.txt";
    private static final String SELF = "self";

    public CalibrationData {
        windows = List.copyOf(windows);
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("calibration needs a sequence");
        }
    }

    /// The prompt that comes with the program: a few lines each of fiction, news, code, arithmetic, facts and several
    /// languages (a single diverse prompt is enough for any4: arXiv 2507.04610, section 3.4).
    ///
    /// @param contextLength positions the model has; a longer prompt is cut into several windows
    public static CalibrationData builtIn(Tokenizer tokenizer, int contextLength) {
        byte[] text;
        try (InputStream in = CalibrationData.class.getResourceAsStream(PROMPT)) {
            if (in == null) {
                throw new IllegalStateException("the program is incomplete: it lacks " + PROMPT);
            }
            text = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int[] ids = tokenizer.encode(new String(text, StandardCharsets.UTF_8), true);
        List<int[]> windows = new ArrayList<>();
        for (int from = 0; from < ids.length; from += contextLength) {
            windows.add(Arrays.copyOfRange(ids, from, Math.min(ids.length, from + contextLength)));
        }
        return new CalibrationData(windows, "built-in", 0, sha256(text));
    }

    /// Windows of a text file at random places, as GPTQ takes them (arXiv 2210.17323): the file is tokenized as one
    /// text. A file with no more than `length` tokens gives one window with all of them.
    ///
    /// @param samples windows to take
    /// @param length tokens of each
    /// @throws InvalidInputException if the file cannot be read, is not UTF-8 or is empty
    public static CalibrationData ofFile(Path file, Tokenizer tokenizer, int samples, int length, long seed) {
        requireSome(samples, length);
        byte[] text = read(file);
        int[] ids = tokenizer.encode(decode(text, file), true);
        if (text.length == 0 || ids.length == 0) {
            throw new InvalidInputException("%s is empty: name a file with text to calibrate on".formatted(file));
        }
        List<int[]> windows = new ArrayList<>();
        if (ids.length <= length) {
            windows.add(ids);
        } else {
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < samples; i++) {
                int from = random.nextInt(ids.length - length + 1);
                windows.add(Arrays.copyOfRange(ids, from, from + length));
            }
        }
        return new CalibrationData(windows, file.getFileName().toString(), seed, sha256(text));
    }

    /// Complains about sizes that leave nothing to calibrate on.
    ///
    /// @throws InvalidInputException if they do
    public static void requireSome(int samples, int length) {
        if (samples <= 0 || length <= 0) {
            throw new InvalidInputException("calibration needs at least one sample of at least one token, not %d of %d"
                    .formatted(samples, length));
        }
    }

    /// Sequences that the model drew from its own distribution.
    public static CalibrationData ofModel(List<int[]> windows, long seed) {
        ByteBuffer ids = ByteBuffer.allocate(
                        4 * windows.stream().mapToInt(window -> window.length).sum())
                .order(ByteOrder.LITTLE_ENDIAN);
        windows.forEach(window -> Arrays.stream(window).forEach(ids::putInt));
        return new CalibrationData(windows, SELF, seed, sha256(ids.array()));
    }

    /// As [#ofModel] will describe `samples` sequences of `length` tokens that are still to be drawn, but for their
    /// digest.
    ///
    /// @throws InvalidInputException if that is nothing
    public static CalibrationData announced(int samples, int length, long seed) {
        requireSome(samples, length);
        return new CalibrationData(Collections.nCopies(samples, new int[length]), SELF, seed, "0".repeat(64));
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        }
    }

    private static String decode(byte[] text, Path file) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidInputException("%s is not UTF-8 text: convert it".formatted(file), e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    /// Tokens of all windows together.
    public long tokens() {
        return windows.stream().mapToLong(window -> window.length).sum();
    }

    /// Tokens of the longest window.
    public int longest() {
        return windows.stream().mapToInt(window -> window.length).max().orElseThrow();
    }

    /// What `config.json` shall say about this.
    ObjectNode describe() {
        return JsonFiles.object()
                .put("dataset", dataset)
                .put("samples", windows.size())
                .put("seqlen", longest())
                .put("seed", seed)
                .put("sha256", sha256);
    }
}
