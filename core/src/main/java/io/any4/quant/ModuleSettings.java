package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import tools.jackson.databind.JsonNode;

/// How the tensors of one quantized module are to be read.
///
/// @param bits 2, 3, 4 or 8
/// @param groupSize weights of a row that share a scale, or -1 for all of them
/// @param symmetric whether zeros are absent
/// @param inFeatures columns, or 0 where the width of the packed codes tells
record ModuleSettings(int bits, int groupSize, boolean symmetric, int inFeatures) {
    static final int WHOLE_ROW = -1;

    ModuleSettings {
        if (!(bits >= 2 && bits <= 4) && bits != 8) {
            throw new InvalidInputException(
                    "quantization_config asks for %d bits, but only 2, 3, 4 and 8 are supported".formatted(bits));
        }
        if (groupSize <= 0 && groupSize != WHOLE_ROW) {
            throw new InvalidInputException(
                    "quantization_config has the group_size %d: it must be positive, or -1 for whole rows"
                            .formatted(groupSize));
        }
        if (inFeatures < 0) {
            throw new InvalidInputException("quantization_config has the in_features " + inFeatures);
        }
    }

    /// These settings with those that `node` mentions changed.
    ModuleSettings with(JsonNode node) {
        return new ModuleSettings(
                integer(node, "bits", bits),
                integer(node, "group_size", groupSize),
                bool(node, "sym", symmetric),
                integer(node, "in_features", inFeatures));
    }

    private static int integer(JsonNode node, String key, int otherwise) {
        JsonNode value = node.path(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new InvalidInputException(
                    "quantization_config has %s for %s, expected a number".formatted(value, key));
        }
        return value.intValue();
    }

    private static boolean bool(JsonNode node, String key, boolean otherwise) {
        JsonNode value = node.path(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw new InvalidInputException(
                    "quantization_config has %s for %s, expected true or false".formatted(value, key));
        }
        return value.booleanValue();
    }

    /// Columns of a matrix with that many bytes of codes per row.
    int columns(long codeBytes) {
        return inFeatures > 0 ? inFeatures : inferredColumns(codeBytes, bits);
    }

    /// The largest number of columns that needs no more bytes; right for all even widths at 4 bits, for instance.
    static int inferredColumns(long codeBytes, int bits) {
        return Math.toIntExact(codeBytes * 8 / bits);
    }
}
