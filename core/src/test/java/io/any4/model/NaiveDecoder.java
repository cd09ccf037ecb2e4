package io.any4.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// The textbook forward pass in double precision: one token, one head, one number at a time, no cache, no batching.
///
/// It shares no code with the decoder and reads its tensors by name from a [TinyModel].
final class NaiveDecoder {
    private final TinyModel model;

    NaiveDecoder(TinyModel model) {
        this.model = model;
    }

    /// Logits of every position, `[ids.length][vocab]`.
    double[][] logits(int[] ids) {
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("model.embed_tokens.weight", ids[t], TinyModel.HIDDEN);
        }
        for (int i = 0; i < TinyModel.LAYERS; i++) {
            block(x, "model.layers.%d.".formatted(i));
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear("lm_head", norm("model.norm.weight", x[t]));
        }
        return logits;
    }

    private void block(double[][] x, String prefix) {
        double[][] attended = attention(x, prefix);
        for (int t = 0; t < x.length; t++) {
            addTo(x[t], attended[t]);
            double[] normed = norm(prefix + "post_attention_layernorm.weight", x[t]);
            addTo(x[t], has(prefix + "block_sparse_moe.gate.weight") ? moe(normed, prefix) : denseMlp(normed, prefix));
        }
    }

    private double[][] attention(double[][] x, String prefix) {
        int n = x.length;
        double[][] q = new double[n][];
        double[][] k = new double[n][];
        double[][] v = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] normed = norm(prefix + "input_layernorm.weight", x[t]);
            q[t] = rotated(linear(prefix + "self_attn.q_proj", normed), t, prefix + "self_attn.q_norm.weight");
            k[t] = rotated(linear(prefix + "self_attn.k_proj", normed), t, prefix + "self_attn.k_norm.weight");
            v[t] = linear(prefix + "self_attn.v_proj", normed);
        }
        int window = model.config.path("sliding_window").asInt(Integer.MAX_VALUE);
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] heads = new double[TinyModel.HEADS * TinyModel.HEAD_DIM];
            for (int h = 0; h < TinyModel.HEADS; h++) {
                int kv = h / (TinyModel.HEADS / TinyModel.KV_HEADS);
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    if (t - s >= window) {
                        continue;
                    }
                    double score = 0;
                    for (int d = 0; d < TinyModel.HEAD_DIM; d++) {
                        score += q[t][h * TinyModel.HEAD_DIM + d] * k[s][kv * TinyModel.HEAD_DIM + d];
                    }
                    double weight = Math.exp(score / Math.sqrt(TinyModel.HEAD_DIM));
                    sum += weight;
                    for (int d = 0; d < TinyModel.HEAD_DIM; d++) {
                        heads[h * TinyModel.HEAD_DIM + d] += weight * v[s][kv * TinyModel.HEAD_DIM + d];
                    }
                }
                for (int d = 0; d < TinyModel.HEAD_DIM; d++) {
                    heads[h * TinyModel.HEAD_DIM + d] /= sum;
                }
            }
            out[t] = linear(prefix + "self_attn.o_proj", heads);
        }
        return out;
    }

    private double[] rotated(double[] heads, int position, String normName) {
        int dim = TinyModel.HEAD_DIM;
        double[] out = new double[heads.length];
        for (int from = 0; from < heads.length; from += dim) {
            double[] head = Arrays.copyOfRange(heads, from, from + dim);
            if (has(normName)) {
                head = norm(normName, head);
            }
            for (int i = 0; i < dim / 2; i++) {
                double angle = position / Math.pow(10_000, 2.0 * i / dim);
                out[from + i] = head[i] * Math.cos(angle) - head[i + dim / 2] * Math.sin(angle);
                out[from + i + dim / 2] = head[i + dim / 2] * Math.cos(angle) + head[i] * Math.sin(angle);
            }
        }
        return out;
    }

    private double[] denseMlp(double[] x, String prefix) {
        return mlp(x, prefix + "mlp.gate_proj", prefix + "mlp.up_proj", prefix + "mlp.down_proj");
    }

    private double[] moe(double[] x, String prefix) {
        double[] scores = linear(prefix + "block_sparse_moe.gate", x);
        List<Integer> best =
                new ArrayList<>(IntStream.range(0, TinyModel.EXPERTS).boxed().toList());
        best.sort(Comparator.comparingDouble((Integer e) -> -scores[e]));
        double total = 0;
        double[] out = new double[x.length];
        for (int e : best.subList(0, 2)) {
            double share = Math.exp(scores[e]);
            total += share;
            String expert = prefix + "block_sparse_moe.experts.%d.".formatted(e);
            double[] y = mlp(x, expert + "w1", expert + "w3", expert + "w2");
            for (int i = 0; i < out.length; i++) {
                out[i] += share * y[i];
            }
        }
        for (int i = 0; i < out.length; i++) {
            out[i] /= total;
        }
        return out;
    }

    private double[] mlp(double[] x, String gate, String up, String down) {
        double[] g = linear(gate, x);
        double[] u = linear(up, x);
        for (int i = 0; i < g.length; i++) {
            g[i] = g[i] / (1 + Math.exp(-g[i])) * u[i];
        }
        return linear(down, g);
    }

    private double[] linear(String module, double[] x) {
        int rows = Math.toIntExact(model.tensor(module + ".weight").rows());
        double[] y = new double[rows];
        for (int r = 0; r < rows; r++) {
            double[] w = row(module + ".weight", r, x.length);
            for (int c = 0; c < x.length; c++) {
                y[r] += w[c] * x[c];
            }
        }
        if (has(module + ".bias")) {
            addTo(y, row(module + ".bias", 0, rows));
        }
        return y;
    }

    private double[] norm(String gain, double[] x) {
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double scale = 1 / Math.sqrt(squares / x.length + 1e-5);
        double[] g = row(gain, 0, x.length);
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] * scale * g[i];
        }
        return out;
    }

    private static void addTo(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }

    private boolean has(String name) {
        return model.tensors.containsKey(name);
    }

    private double[] row(String name, int row, int width) {
        double[] out = new double[width];
        for (int i = 0; i < width; i++) {
            out[i] = model.tensor(name).getFloat((long) row * width + i);
        }
        return out;
    }
}
