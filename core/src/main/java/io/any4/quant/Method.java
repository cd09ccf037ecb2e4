package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import java.util.Arrays;
import java.util.stream.Collectors;

/// The number formats a weight can be quantized to, with the names users write.
public enum Method {
    /// Integers, rounded to nearest: evenly spaced levels (the baseline of arXiv 2507.04610, table 2).
    INT2("int2", 2, Family.INTEGER),
    INT3("int3", 3, Family.INTEGER),
    INT4("int4", 4, Family.INTEGER),
    INT8("int8", 8, Family.INTEGER),
    /// NormalFloat: the quantiles of a normal distribution (QLoRA, arXiv 2305.14314, appendix E).
    NF4("nf4", 4, Family.FIXED_TABLE),
    /// The 4-bit float of bitsandbytes, with one subnormal of 1/192 of the maximum.
    FP4("fp4", 4, Family.FIXED_TABLE),
    /// The 4-bit float of the OCP microscaling standard: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and the negatives.
    FP4_E2M1("fp4-e2m1", 4, Family.FIXED_TABLE),
    /// E2M1 elements under a shared power of two per group (OCP microscaling, with the exponent rounded up from
    /// 1.5).
    MX4("mx4", 4, Family.FIXED_TABLE),
    /// A table learned per row (arXiv 2507.04610, section 3).
    ANY2("any2", 2, Family.LEARNED_TABLE),
    ANY3("any3", 3, Family.LEARNED_TABLE),
    ANY4("any4", 4, Family.LEARNED_TABLE),
    /// A table learned per row together with signed 8-bit group scales, and no zeros.
    ANY2S("any2s", 2, Family.LEARNED_TABLE_AND_SCALES),
    ANY3S("any3s", 3, Family.LEARNED_TABLE_AND_SCALES),
    ANY4S("any4s", 4, Family.LEARNED_TABLE_AND_SCALES),
    /// 4-bit floats whose format and clipping range are searched for (LLM-FP4, arXiv 2310.16836); the activations stay
    /// as they are, or are rounded to floats of 8 or 4 bits as well, which the model simulates when it runs.
    FPQ_W4A16("fpq-w4a16", 4, Family.SEARCHED_FLOAT),
    FPQ_W4A8("fpq-w4a8", 4, Family.SEARCHED_FLOAT),
    FPQ_W4A4("fpq-w4a4", 4, Family.SEARCHED_FLOAT);

    /// Where the levels of a format come from.
    public enum Family {
        INTEGER,
        FIXED_TABLE,
        LEARNED_TABLE,
        LEARNED_TABLE_AND_SCALES,
        SEARCHED_FLOAT
    }

    private final String id;
    private final int bits;
    private final Family family;

    Method(String id, int bits, Family family) {
        this.id = id;
        this.bits = bits;
        this.family = family;
    }

    /// The name users write, such as `any4`.
    public String id() {
        return id;
    }

    /// Bits per code.
    public int bits() {
        return bits;
    }

    public Family family() {
        return family;
    }

    /// Bits that a layer's inputs are rounded to, or 0 if they are not.
    public int inputBits() {
        return switch (this) {
            case FPQ_W4A8 -> 8;
            case FPQ_W4A4 -> 4;
            default -> 0;
        };
    }

    /// Levels a code chooses from.
    public int levels() {
        return 1 << bits;
    }

    /// The method of that name.
    ///
    /// @throws InvalidInputException naming the supported methods if there is none
    public static Method parse(String name) {
        for (Method method : values()) {
            if (method.id.equalsIgnoreCase(name.strip())) {
                return method;
            }
        }
        throw new InvalidInputException(
                "unknown quantization method '%s'; supported are %s".formatted(name, supported()));
    }

    private static String supported() {
        return Arrays.stream(values()).map(Method::id).collect(Collectors.joining(", "));
    }
}
