package io.any4.calibrate;

import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.ModulePattern;
import io.any4.quant.QuantizationSpec;

/// Other settings for some modules: either a whole specification, or single settings changed.
///
/// @param pattern the modules
/// @param settings `int8,group-size=64`, which starts anew, or `group-size=64`, which changes what applied before
public record SpecOverride(ModulePattern pattern, String settings) {
    /// Parses `PATTERN=SETTINGS`, such as `*.down_proj=group-size=64` or `lm_head=int8`.
    ///
    /// @throws InvalidInputException if it is malformed or no such setting exists
    public static SpecOverride parse(String text) {
        int equals = text.indexOf('=');
        if (equals <= 0 || equals == text.length() - 1) {
            throw new InvalidInputException(
                    "'%s' is no override: write PATTERN=SETTINGS, such as *.down_proj=group-size=64 or lm_head=int8"
                            .formatted(text));
        }
        return new SpecOverride(
                ModulePattern.parse(text.substring(0, equals).strip()),
                text.substring(equals + 1).strip());
    }

    /// The specification that results for a module which the pattern matches.
    QuantizationSpec apply(QuantizationSpec spec) {
        String[] parts = settings.split("\\s*,\\s*", -1);
        if (!parts[0].contains("=")) {
            return QuantizationSpec.parse(settings);
        }
        QuantizationSpec changed = spec;
        for (String part : parts) {
            int equals = part.indexOf('=');
            if (equals < 0) {
                throw new InvalidInputException(
                        "'%s' in override '%s' is not a setting: write key=value".formatted(part, settings));
            }
            changed = changed.with(part.substring(0, equals), part.substring(equals + 1));
        }
        return changed;
    }
}
