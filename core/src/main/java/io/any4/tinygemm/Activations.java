package io.any4.tinygemm;

/// What a [CpuDevice] multiplies looked-up weights with.
public enum Activations {
    /// 32-bit floats, as they are.
    F32,

    /// Integers of 14 bits with a scale for each block of 128 columns (256 for codes of two bits): a relative
    /// error of about 10^-4, where the 8 bits that are common elsewhere have 10^-2. Tables are rounded to 12
    /// bits. Processors multiply such numbers at two to four times the speed of floats.
    ///
    /// Only weights of [LutWeight] whose groups are whole blocks, or a half or a quarter of one, are
    /// multiplied so.
    INT14
}
