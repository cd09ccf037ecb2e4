package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Method.Family;
import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;

/// Everything that decides how a weight is quantized.
///
/// Written as text it is the method and then settings, such as `any4,group-size=64,kmeans=exact`; see
/// [#parse(String)].
///
/// @param method the number format
/// @param groupSize consecutive weights of a row that share a scale, or [#PER_ROW]; the last group of a row may
///     be short
/// @param symmetric integer formats, any2, any3 and any4 only: no zero is stored, levels lie around 0
/// @param zeroPoint integer formats only: what the zero of an asymmetric format may be
/// @param kmeans learned formats only: how the table is found
/// @param weighting learned formats only: how much each weight's error counts
/// @param table learned formats only: which weights share a table
/// @param metadata type of tables, scales and zeros: F16, BF16 or F32; the scales of `mx4` are always E8M0, those
///     of `any4s` and its kin I8
/// @param seed of everything random
public record QuantizationSpec(
        Method method,
        int groupSize,
        boolean symmetric,
        ZeroPoint zeroPoint,
        Clustering kmeans,
        Weighting weighting,
        TableScope table,
        DType metadata,
        long seed) {
    /// The group size that makes each row one group.
    public static final int PER_ROW = 0;

    public QuantizationSpec {
        if (groupSize < 0) {
            throw new InvalidInputException(
                    "the group size must be positive, not %d; 128 is usual, 'row' makes each row one group"
                            .formatted(groupSize));
        }
        if (!metadata.isFloat()) {
            throw new InvalidInputException("scales and tables can be f16, bf16 or f32, not " + metadata);
        }
        if (zeroPoint == ZeroPoint.INTEGER && (method.family() != Family.INTEGER || symmetric)) {
            throw new InvalidInputException("an integer zero point needs an asymmetric int method, not " + method.id()
                    + (symmetric ? " symmetric" : ""));
        }
        if (symmetric && !canHaveZero(method)) {
            throw new InvalidInputException(
                    method.id() + " is always symmetric: leave the setting out, or choose an int or any method");
        }
        if (method.inputBits() > 0 && groupSize != PER_ROW) {
            throw new InvalidInputException(
                    method.id() + " has one scale per row: leave the group size out, or choose fpq-w4a16");
        }
    }

    private static boolean canHaveZero(Method method) {
        return method.family() == Family.INTEGER || method.family() == Family.LEARNED_TABLE;
    }

    /// The usual settings of a method: groups of 128 (32 for `mx4`, `any4s` and its kin, whole rows for `fpq-*`),
    /// asymmetric where that can be chosen, fast k-means weighted by the second moment of the activations, a table
    /// per row, metadata in F16 (BF16 for `any4s` and its kin, whose table entries are a hundredth of a weight),
    /// seed 0.
    public static QuantizationSpec of(Method method) {
        int floats = method.family() == Family.SEARCHED_FLOAT ? PER_ROW : 128;
        boolean narrowScales = method == Method.MX4 || method.family() == Family.LEARNED_TABLE_AND_SCALES;
        return new QuantizationSpec(
                method,
                narrowScales ? 32 : floats,
                false,
                ZeroPoint.FLOAT,
                Clustering.FAST,
                Weighting.SECOND_MOMENT,
                TableScope.ROW,
                method.family() == Family.LEARNED_TABLE_AND_SCALES ? DType.BF16 : DType.F16,
                0);
    }

    /// The specification a text describes: a method, then `key=value` settings separated by commas. Keys are
    /// `group-size` (a number or `row`), `symmetric` (`true`, `false`), `zero-point` (`float`, `integer`), `kmeans`
    /// (`exact`, `fast`, `lloyd`, `lloyd-random`, `lloyd-int`, `lloyd-nf`), `weighting` (`none`, `mean`,
    /// `mean-unscaled`, `mean-abs`, `second-moment`), `table` (`row`, `matrix`), `metadata` (`f16`, `bf16`, `f32`)
    /// and `seed`.
    ///
    /// @throws InvalidInputException if it describes none
    public static QuantizationSpec parse(String text) {
        return SpecText.parse(text);
    }

    /// This specification with one setting changed, key and value written as in [#parse(String)]. The key `method`
    /// changes the method; group size and metadata follow it if they were the usual ones.
    ///
    /// @throws InvalidInputException if there is no such setting or value
    public QuantizationSpec with(String key, String value) {
        return SpecText.with(this, key, value);
    }

    /// The shortest text that [#parse(String)] turns into this specification.
    public String describe() {
        return SpecText.describe(this);
    }

    /// Bits per code.
    public int bits() {
        return method.bits();
    }

    /// Whether a zero is stored per group.
    public boolean hasZero() {
        return canHaveZero(method) && !symmetric;
    }

    /// Whether the result depends on [ChannelStatistics].
    public boolean usesStatistics() {
        boolean weighted = method.family() != Family.INTEGER && method.family() != Family.FIXED_TABLE;
        return weighted && weighting != Weighting.NONE || quantizesInputs();
    }

    /// Whether the inputs of the layer are quantized as well, for which samples of them are needed: see
    /// [JointFloatSearch].
    public boolean quantizesInputs() {
        return method.inputBits() > 0;
    }

    /// Whether all rows read one table.
    public boolean sharesTable() {
        return switch (method.family()) {
            case INTEGER, FIXED_TABLE, SEARCHED_FLOAT -> true;
            case LEARNED_TABLE, LEARNED_TABLE_AND_SCALES -> table == TableScope.MATRIX;
        };
    }

    /// The group size for rows of that length: a positive number.
    public int groupSize(int columns) {
        return groupSize == PER_ROW ? columns : groupSize;
    }

    /// The type scales are stored in.
    public DType scaleType() {
        if (method.family() == Family.LEARNED_TABLE_AND_SCALES) {
            return DType.I8;
        }
        return method == Method.MX4 ? DType.E8M0 : metadata;
    }

    /// Bytes a quantized `[rows, columns]` weight takes, all side data included: exactly
    /// [io.any4.tinygemm.Weight#bytes()].
    public long bytes(long rows, int columns) {
        long groups = rows * Math.ceilDiv(columns, groupSize(columns));
        long perGroup = (long) scaleType().bytes() + (hasZero() ? metadata.bytes() : 0);
        long tables = bits() == 8 ? 0 : sharesTable() ? 1 : rows;
        return rows * BitPacking.rowBytes(columns, bits())
                + groups * perGroup
                + tables * method.levels() * metadata.bytes();
    }

    /// Average storage per weight of a `[rows, columns]` matrix, all side data included.
    public double bitsPerWeight(long rows, int columns) {
        return 8.0 * bytes(rows, columns) / ((double) rows * columns);
    }

    /// The quantizer that does what this specification says of weights.
    public Quantizer quantizer() {
        return switch (method.family()) {
            case INTEGER -> new IntQuantizer(this);
            case FIXED_TABLE -> new FixedTableQuantizer(this);
            case SEARCHED_FLOAT -> new FloatQuantizer(this);
            case LEARNED_TABLE -> new AnyQuantizer(this);
            case LEARNED_TABLE_AND_SCALES -> new SignedScaleQuantizer(this);
        };
    }
}
