package io.any4.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.any4.checkpoint.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The tokenizer of a model, run by the Hugging Face tokenizers library from the model's tokenizer.json.
///
/// Safe for use by several threads. Nothing is truncated, padded or downloaded.
public final class Tokenizer implements AutoCloseable {
    static {
        // The library's wrapper reports its use to its makers, looks for a GPU build of itself and may download one,
        // unless it is told not to before its classes are loaded. A user's own setting stands.
        setUnlessSet("OPT_OUT_TRACKING", "true");
        setUnlessSet("ai.djl.offline", "true");
        setUnlessSet("RUST_FLAVOR", "cpu");
    }

    private final HuggingFaceTokenizer library;
    private final TokenizerConfig config;
    private final int bosId;
    private final int eosId;

    private Tokenizer(HuggingFaceTokenizer library, TokenizerConfig config) {
        this.library = library;
        this.config = config;
        this.bosId = idOf(config.bosToken());
        this.eosId = idOf(config.eosToken());
    }

    /// The tokenizer in a model directory.
    ///
    /// @throws InvalidInputException if there is no tokenizer.json, or if it cannot be used
    public static Tokenizer load(Path modelDirectory) {
        Path file = modelDirectory.resolve("tokenizer.json");
        if (!Files.exists(file)) {
            throw missing(modelDirectory);
        }
        TokenizerConfig config = TokenizerConfig.read(modelDirectory);
        try {
            return new Tokenizer(open(Files.readAllBytes(file)), config);
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        } catch (LinkageError | RuntimeException e) {
            throw new InvalidInputException(
                    "%s cannot be used as a tokenizer: %s".formatted(file, String.valueOf(e.getMessage())), e);
        }
    }

    private static HuggingFaceTokenizer open(byte[] json) throws IOException {
        Map<String, String> options = Map.of("truncation", "false", "padding", "false");
        return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options);
    }

    private static InvalidInputException missing(Path directory) {
        boolean sentencePiece = Files.exists(directory.resolve("tokenizer.model"));
        return new InvalidInputException(
                sentencePiece
                        ? "%s has a tokenizer.model but no tokenizer.json: load it with transformers' "
                                        .formatted(directory)
                                + "AutoTokenizer and save_pretrained, which writes one"
                        : "%s has no tokenizer.json: copy it from the model's source".formatted(directory));
    }

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /// The ids of a text.
    ///
    /// @param addSpecialTokens whether to add what the model expects around a text, usually a token that begins it
    public int[] encode(String text, boolean addSpecialTokens) {
        long[] ids = library.encode(text, addSpecialTokens, false).getIds();
        boolean prepend = addSpecialTokens
                && bosId >= 0
                && Boolean.TRUE.equals(config.addBos())
                && (ids.length == 0 || ids[0] != bosId);
        int[] out = new int[ids.length + (prepend ? 1 : 0)];
        if (prepend) {
            out[0] = bosId;
        }
        for (int i = 0; i < ids.length; i++) {
            out[out.length - ids.length + i] = Math.toIntExact(ids[i]);
        }
        return out;
    }

    /// The text of some ids, special tokens left out.
    public String decode(int[] ids) {
        return decode(ids, true);
    }

    /// The text of some ids.
    public String decode(int[] ids, boolean skipSpecialTokens) {
        if (ids.length == 0) {
            return "";
        }
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            wide[i] = ids[i];
        }
        return library.decode(wide, skipSpecialTokens);
    }

    /// A decoder for ids that arrive one at a time.
    public StreamingDecoder streaming() {
        return streaming(new int[0]);
    }

    /// A decoder for ids that continue others, whose text it does not repeat but minds: some tokenizers drop the space
    /// before the first word they decode.
    ///
    /// @param context the ids before, such as a prompt
    public StreamingDecoder streaming(int[] context) {
        return new StreamingDecoder(this, context);
    }

    /// The text that `ids` add to that of `context`.
    public String continuation(int[] context, int[] ids) {
        StreamingDecoder decoder = streaming(context);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.next(id));
        }
        return text.append(decoder.finish()).toString();
    }

    /// The id that begins a text, or -1 if tokenizer_config.json names none.
    public int bosId() {
        return bosId;
    }

    /// The id that ends a text, or -1 if tokenizer_config.json names none.
    public int eosId() {
        return eosId;
    }

    /// The Jinja template of a conversation, or null if the model has none.
    public @Nullable String chatTemplate() {
        return config.chatTemplate();
    }

    private int idOf(@Nullable String token) {
        if (token == null) {
            return -1;
        }
        long[] ids = library.encode(token, false, false).getIds();
        return ids.length == 1 ? Math.toIntExact(ids[0]) : -1;
    }

    @Override
    public void close() {
        library.close();
    }
}
