package io.any4.tinygemm;

/// What a [CpuDevice] multiplies quantized weights with.
///
/// Integers need weights whose groups fit together with the pieces of a token that have a scale each; others
/// are multiplied with floats, and so are weights that are not quantized.
public enum Activations {
    /// 32-bit floats, as they are.
    F32,

    /// Integers of 14 bits with a scale for each block of 128 columns (256 for codes of two bits): a relative
    /// error of about 10^-4. Tables are rounded to 12 bits. Processors multiply such numbers at two to four
    /// times the speed of floats. For weights of up to four bits.
    INT14,

    /// Bytes with a scale for each group of columns, or 128 of it, as is common elsewhere: a relative error of
    /// about 10^-2. Tables are rounded to bytes too. Of prompts, and of tokens of several sequences,
    /// processors multiply two to three times as many as with 14 bits. For weights of up to four bits, and 8.
    INT8
}
