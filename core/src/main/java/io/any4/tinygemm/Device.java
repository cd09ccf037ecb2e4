package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import java.util.List;

/// Where a model runs: it owns buffers and carries out about twenty operations on them, in order.
///
/// A decoder is written against this interface alone, so CPU and GPU share one forward pass. Buffers hold
/// 32-bit floats, row-major, one row per token. Every output row depends on its own input row only and is
/// summed in a fixed order: results do not depend on the thread count or on the other rows of a batch.
///
/// For one caller at a time: operations share working memory.
public interface Device extends AutoCloseable {
    /// What was chosen and why, in one line for a person, such as `cpu: vector 512 bit, 2 threads`.
    String describe();

    /// Zeroed working memory for `length` 32-bit floats.
    default Buffer allocate(long length) {
        return allocate(DType.F32, length);
    }

    /// Zeroed memory for `length` floats of a type that a cache can have: F32, F16 or BF16. Of the operations only
    /// [#store] writes 16-bit elements, rounding to the nearest, and only [#attention] reads them.
    ///
    /// @throws InvalidInputException if the device has no such memory
    Buffer allocate(DType dtype, long length);

    /// Copies host floats into a buffer, from its element `offset` on, rounded to its type.
    void write(float[] values, Buffer target, long offset);

    /// Copies `count` elements of a buffer, from its element `offset` on, to the start of `out`.
    void read(Buffer source, long offset, float[] out, int count);

    /// Makes a weight ready for [#matmul] and [#embed]; called once per weight when a model is loaded.
    Matrix prepare(Weight weight);

    /// `out[t] = row ids[t] of table`, for each token `t`.
    void embed(Matrix table, int[] ids, Buffer out);

    /// `out = row chosen[0] of table`: the row of a token that [#choose] left on the device; any row for NaN.
    void embed(Matrix table, Buffer chosen, Buffer out);

    /// `y[t][r] = sum over c of w[r][c] * x[t][c]`; x is `[tokens, columns]`, y is `[tokens, rows]`.
    void matmul(Matrix w, Buffer x, int tokens, Buffer y);

    /// `y[t] += bias`, with y `[tokens, width]`.
    void addBias(Buffer y, Buffer bias, int tokens, int width);

    /// `x += y`, elementwise over the first `length` floats.
    void add(Buffer x, Buffer y, long length);

    /// Root-mean-square norm of each of `rows` rows: `out = x / sqrt(mean(x^2) + epsilon) * gain`. May be in place.
    void rmsNorm(Buffer x, Buffer gain, float epsilon, int rows, int width, Buffer out);

    /// Rotary position embedding in place on rows of x, `[heads, headDim]` each. Element `i` of a head pairs with
    /// `i + headDim / 2` (the Hugging Face convention).
    ///
    /// @param inverseFrequencies `[headDim / 2]`, radians per position
    /// @param position of the span's first token in its sequence, as in the operations that follow
    void rope(Buffer x, Buffer inverseFrequencies, int heads, int headDim, Span span, int position);

    /// Copies rows of `source`, `width` floats each, to the rows of a cache that are their positions, rounded to its
    /// type.
    void store(Buffer source, int width, Buffer cache, Span span, int position);

    /// Causal softmax attention of rows of q, `[heads, headDim]` each, over the cache of their sequence, which
    /// already holds them; scores scaled by `1 / sqrt(headDim)`. Writes the same rows of out.
    ///
    /// Keys and values have the same type; whatever it is, scores and sums are those of 32-bit floats.
    void attention(Buffer q, Buffer keys, Buffer values, AttentionShape shape, Span span, int position, Buffer out);

    /// `out = silu(gate) * up`, elementwise over `length` floats; out may be gate.
    void swiglu(Buffer gate, Buffer up, long length, Buffer out);

    /// `out[i] = x[rows[i]]`, rows of `width` floats: collects the tokens routed to one expert.
    void gather(Buffer x, int[] rows, int width, Buffer out);

    /// `out[rows[i]] += factors[i] * x[i]`, rows of `width` floats: returns an expert's output to its tokens.
    void scatterAdd(Buffer x, int[] rows, float[] factors, int width, Buffer out);

    /// Sends each token to its best-scored experts: fills [Routes#pairs] with the best of scores
    /// `[tokens, experts]`, of equal ones the lower, and the softmax over just those.
    void route(Buffer scores, int experts, Routes routes);

    /// Makes matrices of one shape ready for [#matmul(MatrixStack, Routes, boolean, Buffer, Buffer)].
    MatrixStack stack(List<Matrix> matrices);

    /// Products with the matrices that were chosen: `y[slot] = w[choice of slot] x[...]`, with y `[slots, rows]`.
    ///
    /// @param shared whether x is `[tokens, columns]`, the same for all choices of a token, or `[slots, columns]`
    void matmul(MatrixStack w, Routes routes, boolean shared, Buffer x, Buffer y);

    /// `out[token] += sum of share * x[slot]` over the choices of each token in order; rows of `width` floats.
    void combine(Buffer x, Routes routes, int width, Buffer out);

    /// Chooses the next token of a sequence from a row of `count` logits: `chosen[row]` becomes its id, as a
    /// float, which holds ids below 2^24; or NaN if a logit is not a number.
    ///
    /// Every device chooses the same token from the same logits, unless the draw falls so close to the border
    /// between two that rounding decides.
    ///
    /// @param draw which of the sampling's random numbers to use, counted from 0
    void choose(Buffer logits, int row, int count, Sampling sampling, int draw, Buffer chosen);

    /// Transforms `rows` rows of x, each as wide as the transform; out may be x.
    void transform(Buffer x, InputTransform transform, int rows, Buffer out);

    @Override
    void close();
}
