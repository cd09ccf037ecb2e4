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
        Draft draft = new Draft(spec);
        draft.set(key, value.strip().toLowerCase(Locale.ROOT));
        return draft.spec();
    }

    /// A specification while one of its settings changes.
    private static final class Draft {
        private Method method;
        private int groupSize;
        private boolean symmetric;
        private ZeroPoint zeroPoint;
        private Clustering kmeans;
        private Weighting weighting;
        private TableScope table;
        private DType metadata;
        private long seed;

        Draft(QuantizationSpec spec) {
            method = spec.method();
            groupSize = spec.groupSize();
            symmetric = spec.symmetric();
            zeroPoint = spec.zeroPoint();
            kmeans = spec.kmeans();
            weighting = spec.weighting();
            table = spec.table();
            metadata = spec.metadata();
            seed = spec.seed();
        }

        void set(String key, String word) {
            switch (key.strip()) {
                case "method" -> change(Method.parse(word));
                case "group-size" -> groupSize = parseGroupSize(word);
                case "symmetric" -> symmetric = choice("symmetric", word, new Boolean[] {true, false}, String::valueOf);
                case "zero-point" -> zeroPoint = choice("zero point", word, ZeroPoint.values(), ZeroPoint::id);
                case "kmeans" -> kmeans = choice("k-means variant", word, Clustering.values(), Clustering::id);
                case "weighting" -> weighting = choice("weighting", word, Weighting.values(), Weighting::id);
                case "table" -> table = choice("table scope", word, TableScope.values(), TableScope::id);
                case "metadata" -> metadata = choice("metadata type", word, metadataTypes(), SpecText::id);
                case "seed" -> seed = number("seed", word);
                default ->
                    throw new InvalidInputException(
                            "unknown setting '%s'; supported are %s".formatted(key, String.join(", ", KEYS)));
            }
        }

        /// Settings that were the usual ones of the old method become the usual ones of the new.
        private void change(Method changed) {
            QuantizationSpec before = QuantizationSpec.of(method);
            QuantizationSpec usual = QuantizationSpec.of(changed);
            method = changed;
            groupSize = groupSize == before.groupSize() ? usual.groupSize() : groupSize;
            metadata = metadata == before.metadata() ? usual.metadata() : metadata;
        }

        QuantizationSpec spec() {
            return new QuantizationSpec(
                    method, groupSize, symmetric, zeroPoint, kmeans, weighting, table, metadata, seed);
        }
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

    private static int parseGroupSize(String word) {
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
