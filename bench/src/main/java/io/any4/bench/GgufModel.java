package io.any4.bench;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Writes a GGUF file of the shape of Llama-3.2-1B with random weights of one type, the tied embedding among them, for
/// `llama-bench`: `GgufModel FILE q4_0|iq4_nl|q4_k`. It has no vocabulary.
final class GgufModel {
    private static final int ALIGNMENT = 32;
    private static final int TYPE_F32 = 0;

    private final Quant quant;
    private final List<Entry> entries = new ArrayList<>();
    private final SplittableRandom random = new SplittableRandom(1);

    private GgufModel(Quant quant) {
        this.quant = quant;
    }

    /// A ggml type: blocks that begin with scales in 16-bit floats.
    ///
    /// @param type its number in GGUF
    /// @param fileType the number of a file made of it
    /// @param weights per block
    /// @param bytes per block
    /// @param scales 16-bit floats that a block begins with
    private record Quant(int type, int fileType, int weights, int bytes, int scales) {
        static Quant of(String name) {
            return switch (name) {
                case "q4_0" -> new Quant(2, 2, 32, 18, 1);
                case "q4_k" -> new Quant(12, 14, 256, 144, 2);
                case "iq4_nl" -> new Quant(20, 25, 32, 18, 1);
                default -> throw new IllegalArgumentException("unknown type " + name + ": use q4_0, iq4_nl or q4_k");
            };
        }
    }

    /// One tensor; a vector has one row.
    private record Entry(String name, int rows, int columns, boolean vector) {
        long bytes(Quant quant) {
            return vector ? 4L * columns : (long) rows * columns / quant.weights() * quant.bytes();
        }
    }

    public static void main(String[] args) throws IOException {
        new GgufModel(Quant.of(args[1])).write(Path.of(args[0]));
    }

    private void write(Path file) throws IOException {
        addTensors();
        Files.createDirectories(file.toAbsolutePath().getParent());
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            byte[] header = header();
            out.write(header);
            pad(out, header.length);
            for (Entry entry : entries) {
                writeData(out, entry);
                pad(out, entry.bytes(quant));
            }
        }
    }

    private void addTensors() {
        matrix("token_embd", Llama1b.VOCABULARY, Llama1b.HIDDEN);
        for (int layer = 0; layer < Llama1b.LAYERS; layer++) {
            String prefix = "blk." + layer + ".";
            vector(prefix + "attn_norm");
            matrix(prefix + "attn_q", Llama1b.HIDDEN, Llama1b.HIDDEN);
            matrix(prefix + "attn_k", Llama1b.KV_WIDTH, Llama1b.HIDDEN);
            matrix(prefix + "attn_v", Llama1b.KV_WIDTH, Llama1b.HIDDEN);
            matrix(prefix + "attn_output", Llama1b.HIDDEN, Llama1b.HIDDEN);
            vector(prefix + "ffn_norm");
            matrix(prefix + "ffn_gate", Llama1b.INTERMEDIATE, Llama1b.HIDDEN);
            matrix(prefix + "ffn_up", Llama1b.INTERMEDIATE, Llama1b.HIDDEN);
            matrix(prefix + "ffn_down", Llama1b.HIDDEN, Llama1b.INTERMEDIATE);
        }
        vector("output_norm");
    }

    private void matrix(String name, int rows, int columns) {
        entries.add(new Entry(name + ".weight", rows, columns, false));
    }

    private void vector(String name) {
        entries.add(new Entry(name + ".weight", 1, Llama1b.HIDDEN, true));
    }

    private byte[] header() {
        Fields facts = new Fields();
        facts.text("general.architecture", "llama");
        facts.text("general.name", "random weights, shape of Llama-3.2-1B");
        facts.number("general.file_type", quant.fileType());
        facts.number("llama.vocab_size", Llama1b.VOCABULARY);
        facts.number("llama.context_length", 131072);
        facts.number("llama.embedding_length", Llama1b.HIDDEN);
        facts.number("llama.block_count", Llama1b.LAYERS);
        facts.number("llama.feed_forward_length", Llama1b.INTERMEDIATE);
        facts.number("llama.attention.head_count", Llama1b.HEADS);
        facts.number("llama.attention.head_count_kv", Llama1b.KV_WIDTH / Llama1b.HEAD_DIM);
        facts.number("llama.rope.dimension_count", Llama1b.HEAD_DIM);
        facts.real("llama.rope.freq_base", 500000f);
        facts.real("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        facts.text("tokenizer.ggml.model", "none");
        Fields header = new Fields();
        header.raw("GGUF".getBytes(StandardCharsets.US_ASCII));
        header.integer(3);
        header.wide(entries.size());
        header.wide(facts.count);
        header.raw(facts.out.toByteArray());
        long offset = 0;
        for (Entry entry : entries) {
            header.string(entry.name());
            header.integer(entry.vector() ? 1 : 2);
            header.wide(entry.columns());
            if (!entry.vector()) {
                header.wide(entry.rows());
            }
            header.integer(entry.vector() ? TYPE_F32 : quant.type());
            header.wide(offset);
            offset += Math.ceilDiv(entry.bytes(quant), ALIGNMENT) * ALIGNMENT;
        }
        return header.out.toByteArray();
    }

    private void writeData(OutputStream out, Entry entry) throws IOException {
        if (entry.vector()) {
            ByteBuffer ones = ByteBuffer.allocate(4 * entry.columns()).order(ByteOrder.LITTLE_ENDIAN);
            while (ones.hasRemaining()) {
                ones.putFloat(1f);
            }
            out.write(ones.array());
            return;
        }
        byte[] row = new byte[entry.columns() / quant.weights() * quant.bytes()];
        ByteBuffer buffer = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
        short scale = Float.floatToFloat16(0.001f);
        for (int r = 0; r < entry.rows(); r++) {
            random.nextBytes(row);
            for (int at = 0; at < row.length; at += quant.bytes()) {
                for (int i = 0; i < quant.scales(); i++) {
                    buffer.putShort(at + 2 * i, scale);
                }
            }
            out.write(row);
        }
    }

    private static void pad(OutputStream out, long written) throws IOException {
        out.write(new byte[(int) (Math.ceilDiv(written, ALIGNMENT) * ALIGNMENT - written)]);
    }

    /// The little-endian fields of a header.
    private static final class Fields {
        private static final int UINT32 = 4;
        private static final int FLOAT32 = 6;
        private static final int STRING = 8;

        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        int count;

        void text(String key, String value) {
            key(key, STRING);
            string(value);
        }

        void number(String key, int value) {
            key(key, UINT32);
            integer(value);
        }

        void real(String key, float value) {
            key(key, FLOAT32);
            integer(Float.floatToIntBits(value));
        }

        private void key(String key, int type) {
            string(key);
            integer(type);
            count++;
        }

        void string(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            wide(bytes.length);
            raw(bytes);
        }

        void integer(int value) {
            raw(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value)
                    .array());
        }

        void wide(long value) {
            raw(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
        }

        void raw(byte[] bytes) {
            out.writeBytes(bytes);
        }
    }
}
