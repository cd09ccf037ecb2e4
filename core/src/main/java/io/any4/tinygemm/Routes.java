package io.any4.tinygemm;

/// Which matrices of a [MatrixStack] the rows of a product take: what [Device#route] has found, left on the device.
///
/// @param pairs `[tokens][perToken][2]`: index and share of each choice, as floats; a token's indices ascend
/// @param tokens rows that were routed
/// @param perToken choices of each
public record Routes(Buffer pairs, int tokens, int perToken) {
    /// Rows of what comes of a routed product: one per token and choice, a token's own together.
    public int slots() {
        return Math.multiplyExact(tokens, perToken);
    }
}
