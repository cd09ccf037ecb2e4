package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/// [QuantizationSpec] as text, both ways.
final class SpecText {
    private static final List<String> KEYS = List.of(
            "method", "group-size", "symmetric", "zero-point", "kmeans", "weighting", "table", "metadata", "seed");

    private SpecText() {}

    static QuantizationSpec parse(String text) {
        String[] parts = text.strip().split("\\s*,\\s*", -1);
        QuantizationSpec spec = QuantizationSpec.of(Method.parse(parts[0]));
        for (String setting : Arrays.asList(parts).subList(1, parts.length)) {
            int equals = setting.indexOf('=');
            if (equals < 0) {
                throw new InvalidInputException("'%s' in '%s' is not a setting; write key=value, such as group-size=64"
                        .formatted(setting, text));
            }
            spec = with(spec, setting.substring(0, equals), setting.substring(equals + 1));
        }
        return spec;
    }

    static QuantizationSpec with(QuantizationSpec spec, String key, String value) {
        String word = value.strip().toLowerCase(Locale.ROOT);
        return switch (key.strip()) {
            case "method" -> withMethod(spec, Method.parse(word));
            case "group-size" -> spec.withGroupSize(groupSize(word));
            case "symmetric" ->
                spec.withSymmetric(choice("symmetric", word, new Boolean[] {true, false}, String::valueOf));
            case "zero-point" -> spec.withZeroPoint(choice("zero point", word, ZeroPoint.values(), ZeroPoint::id));
            case "kmeans" -> spec.withKmeans(choice("k-means variant", word, Clustering.values(), Clustering::id));
            case "weighting" -> spec.withWeighting(choice("weighting", word, Weighting.values(), Weighting::id));
            case "table" -> spec.withTable(choice("table scope", word, TableScope.values(), TableScope::id));
            case "metadata" -> spec.withMetadata(choice("metadata type", word, metadataTypes(), SpecText::id));
            case "seed" -> spec.withSeed(number("seed", word));
            default ->
                throw new InvalidInputException(
                        "unknown setting '%s'; supported are %s".formatted(key, String.join(", ", KEYS)));
        };
    }

    /// Settings that were the usual ones of the old method become the usual ones of the new.
    private static QuantizationSpec withMethod(QuantizationSpec spec, Method method) {
        QuantizationSpec before = QuantizationSpec.of(spec.method());
        QuantizationSpec usual = QuantizationSpec.of(method);
        return spec.withMethod(
                method,
                spec.groupSize() == before.groupSize() ? usual.groupSize() : spec.groupSize(),
                spec.metadata() == before.metadata() ? usual.metadata() : spec.metadata());
    }

    static String describe(QuantizationSpec spec) {
        QuantizationSpec usual = QuantizationSpec.of(spec.method());
        StringBuilder text = new StringBuilder(spec.method().id());
        String size = spec.groupSize() == QuantizationSpec.PER_ROW ? "row" : String.valueOf(spec.groupSize());
        text.append(",group-size=").append(size);
        append(text, "symmetric", spec.symmetric(), usual.symmetric(), String::valueOf);
        append(text, "zero-point", spec.zeroPoint(), usual.zeroPoint(), ZeroPoint::id);
        append(text, "kmeans", spec.kmeans(), usual.kmeans(), Clustering::id);
        append(text, "weighting", spec.weighting(), usual.weighting(), Weighting::id);
        append(text, "table", spec.table(), usual.table(), TableScope::id);
        append(text, "metadata", spec.metadata(), usual.metadata(), SpecText::id);
        append(text, "seed", spec.seed(), usual.seed(), String::valueOf);
        return text.toString();
    }

    private static <T> void append(StringBuilder text, String key, T value, T usual, Function<T, String> id) {
        if (!value.equals(usual)) {
            text.append(',').append(key).append('=').append(id.apply(value));
        }
    }

    private static int groupSize(String word) {
        if (word.equals("row")) {
            return QuantizationSpec.PER_ROW;
        }
        long size = number("group size", word);
        if (size <= 0 || size > Integer.MAX_VALUE) {
            throw new InvalidInputException(
                    "the group size must be positive, not %s; 128 is usual, 'row' makes each row one group"
                            .formatted(word));
        }
        return (int) size;
    }

    private static long number(String what, String word) {
        try {
            return Long.parseLong(word);
        } catch (NumberFormatException e) {
            throw new InvalidInputException("the %s must be a whole number, not '%s'".formatted(what, word), e);
        }
    }

    private static <T> T choice(String what, String word, T[] choices, Function<T, String> id) {
        for (T choice : choices) {
            if (id.apply(choice).equals(word)) {
                return choice;
            }
        }
        String names = Arrays.stream(choices).map(id).collect(Collectors.joining(", "));
        throw new InvalidInputException("unknown %s '%s'; supported are %s".formatted(what, word, names));
    }

    private static DType[] metadataTypes() {
        return new DType[] {DType.F16, DType.BF16, DType.F32};
    }

    private static String id(DType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }
}
